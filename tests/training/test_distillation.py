"""The loss of a student against NumPy, and the posterior that it is least for."""

import numpy as np
import seeds
import torch
from torch import nn

from spectral.inputs.channels import Flux, LogIvar, Mask
from spectral.inputs.inputs import Inputs
from spectral.inputs.transforms import Unchanged
from spectral.runtime import Runtime
from spectral.training.distillation import TeacherOfBatches, TeacherOfSpectra, View
from spectral.training.mixup import mix

CPU = Runtime(torch.device("cpu"), "float32", channels_last=False, compile=False, num_threads=1)
EVEN = torch.full((3,), 1 / 3)


def probabilities(seed: int, num: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], num)).float()


def teacher_of(known: torch.Tensor, own: torch.Tensor, weight: float, temperature: float) -> TeacherOfSpectra:
    return TeacherOfSpectra(own, weight, temperature, known.log())


def view(positions: torch.Tensor) -> View:
    """Of spectra whose flux nobody looks at."""
    flux = torch.zeros(len(positions), 1, 1)
    return View(positions, (flux, None, None), flux, None, None)


def test_the_loss_is_the_mix_of_both_and_the_softmaxes_have_the_temperature() -> None:
    known, own, student = probabilities(0), torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.3, 0.6])
    teacher = teacher_of(known, own, weight=0.3, temperature=2.0)
    logits, positions = torch.randn(4, 3, generator=seeds.generator(1)), torch.tensor([5, 0, 2, 2])
    found = teacher.mixed(torch.tensor(1.5), logits, teacher.targets(view(positions), student))
    moved = known[positions].numpy().astype(np.float64) * (student / own).numpy()
    wanted = np.sqrt(moved) / np.sqrt(moved).sum(axis=1, keepdims=True)  # temperature 2
    p = np.exp(logits.numpy().astype(np.float64) / 2)
    distance = -(wanted * np.log(p / p.sum(axis=1, keepdims=True))).sum(axis=1).mean()
    np.testing.assert_allclose(float(found), 0.7 * 1.5 + 0.3 * 4 * distance, rtol=1e-5)


def test_a_student_of_the_teacher_alone_ends_at_its_posterior_under_the_students_priors() -> None:
    known, own, student = probabilities(2), torch.tensor([1 / 3, 1 / 3, 1 / 3]), torch.tensor([0.8, 0.15, 0.05])
    teacher = teacher_of(known, own, weight=1.0, temperature=1.0)
    logits = torch.zeros(6, 3, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200)
    targets = teacher.targets(view(torch.arange(6)), student)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = teacher.mixed(torch.zeros(()), logits, targets)
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return value

    for _ in range(5):
        optimizer.step(closure)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    expected = known * student / own
    torch.testing.assert_close(
        logits.detach().softmax(dim=1), expected / expected.sum(dim=1, keepdim=True), rtol=0.01, atol=2e-3
    )


def test_mixtures_have_the_probabilities_of_both_in_their_shares() -> None:
    known, labels = probabilities(4), torch.tensor([0, 1, 2, 0, 1, 2])
    batch = torch.eye(6)[:, None]
    mixture = mix(batch, None, labels, alpha=0.4, within=False)
    expected = (mixture.channels[:, 0, :, None] * known).sum(dim=1)  # of one-hot spectra the channels are the shares
    torch.testing.assert_close(mixture.of_both(known), expected)
    assert torch.equal(mixture.partner, labels[mixture.order])
    teacher = teacher_of(known, EVEN, weight=0.5, temperature=1.0)
    mixed = view(torch.arange(6))._replace(channels=mixture.channels, mixture=mixture)
    torch.testing.assert_close(teacher.targets(mixed, EVEN), expected)


def test_a_class_that_the_student_never_sees_is_not_asked_for() -> None:
    teacher = teacher_of(probabilities(3), torch.tensor([0.5, 0.3, 0.2]), weight=1.0, temperature=1.0)
    logits = torch.zeros(6, 3, requires_grad=True)
    value = teacher.mixed(
        torch.zeros(()), logits, teacher.targets(view(torch.arange(6)), torch.tensor([0.6, 0.4, 0.0]))
    )
    value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert logits.grad is not None and logits.grad.isfinite().all() and (logits.grad[:, 2] > 0).all()


class Sums(nn.Module):
    """Logits [B, 3] of channels [B, 3, L], which it keeps: the sum of each."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.dropout = nn.Parameter(torch.ones(())), nn.Dropout(0.5)
        self.seen: tuple[torch.Tensor, torch.Tensor | None] | None = None

    def forward(self, flux: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        self.seen = flux, mask
        sums: torch.Tensor = self.dropout(self.scale * flux.sum(dim=2))
        return sums


def test_a_teacher_of_batches_says_what_its_network_says_of_the_mixtures_and_draws_nothing() -> None:
    channels, own, student = torch.randn(6, 3, 4), torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.3, 0.6])
    mixture = mix(channels, None, torch.arange(6) % 3, alpha=0.4, within=False)
    seen = View(torch.arange(6), (torch.zeros(6, 1, 4), None, None), mixture.channels, None, mixture)
    state = torch.get_rng_state()
    teacher = TeacherOfBatches(own, 0.5, 2.0, Sums().eval(), None, 4, CPU)
    found = teacher.targets(seen, student)
    assert torch.equal(torch.get_rng_state(), state)
    moved = torch.exp(mixture.channels.sum(dim=2).double()) * student / own
    torch.testing.assert_close(found, (moved.sqrt() / moved.sqrt().sum(dim=1, keepdim=True)).float())
    logits = torch.zeros(6, 3, requires_grad=True)
    teacher.mixed(torch.zeros(()), logits, found).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert logits.grad is not None and teacher.network.scale.grad is None


def test_a_teacher_of_other_inputs_sees_the_augmented_spectra_at_its_own_length() -> None:
    flux, ivar, mask = torch.randn(2, 1, 4), torch.rand(2, 1, 4) + 0.1, torch.zeros(2, 4, dtype=torch.bool)
    mask[0, 1] = True
    inputs, network = Inputs(1, Unchanged(), [Flux(), Mask(), LogIvar()]).eval(), Sums().eval()
    teacher = TeacherOfBatches(EVEN, 0.5, 1.0, network, inputs, 6, CPU)
    assert teacher.needs_ivar
    teacher.targets(View(torch.arange(2), (flux, ivar, mask), torch.zeros(2, 1, 4), None, None), EVEN)
    assert network.seen is not None and network.seen[1] is not None
    channels, padding = network.seen
    assert torch.equal(padding, torch.tensor([[False] * 4 + [True] * 2] * 2))
    expected, _ = inputs(flux, ivar, mask)
    assert torch.equal(channels[..., :4], expected) and not channels[..., 4:].any()
