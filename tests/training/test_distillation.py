"""The loss of a student against NumPy, and the posterior that it is least for."""

import numpy as np
import torch

from spectral.training.distillation import Teacher
from spectral.training.mixup import mix


def probabilities(seed: int, num: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], num)).float()


def test_the_loss_is_the_mix_of_both_and_the_softmaxes_have_the_temperature() -> None:
    known, own, student = probabilities(0), torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.3, 0.6])
    teacher = Teacher(known.log(), own, weight=0.3, temperature=2.0)
    logits, positions = torch.randn(4, 3, generator=torch.Generator().manual_seed(1)), torch.tensor([5, 0, 2, 2])
    found = teacher.mixed(torch.tensor(1.5), logits, teacher.targets(positions, student))
    moved = known[positions].numpy().astype(np.float64) * (student / own).numpy()
    wanted = np.sqrt(moved) / np.sqrt(moved).sum(axis=1, keepdims=True)  # temperature 2
    p = np.exp(logits.numpy().astype(np.float64) / 2)
    distance = -(wanted * np.log(p / p.sum(axis=1, keepdims=True))).sum(axis=1).mean()
    np.testing.assert_allclose(float(found), 0.7 * 1.5 + 0.3 * 4 * distance, rtol=1e-5)


def test_a_student_of_the_teacher_alone_ends_at_its_posterior_under_the_students_priors() -> None:
    known, own, student = probabilities(2), torch.tensor([1 / 3, 1 / 3, 1 / 3]), torch.tensor([0.8, 0.15, 0.05])
    teacher = Teacher(known.log(), own, weight=1.0, temperature=1.0)
    logits = torch.zeros(6, 3, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200)
    targets = teacher.targets(torch.arange(6), student)

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


def test_a_class_that_the_student_never_sees_is_not_asked_for() -> None:
    teacher = Teacher(probabilities(3).log(), torch.tensor([0.5, 0.3, 0.2]), weight=1.0, temperature=1.0)
    logits = torch.zeros(6, 3, requires_grad=True)
    value = teacher.mixed(torch.zeros(()), logits, teacher.targets(torch.arange(6), torch.tensor([0.6, 0.4, 0.0])))
    value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert logits.grad is not None and logits.grad.isfinite().all() and (logits.grad[:, 2] > 0).all()
