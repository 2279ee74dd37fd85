"""Gradient times input against finite differences, and against the formula for a linear network."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from report_runs import add_network, make_run, make_survey
from torch import Tensor, nn

from spectral.configs.inputs import channels
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.saliency import gradient_times_input, run_saliency
from spectral.inputs.batches import Batch
from spectral.inputs.channels import Flux
from spectral.inputs.inputs import Inputs
from spectral.inputs.joined import JoinedInputs
from spectral.inputs.transforms import Unchanged
from spectral.runs.folder import RunFolder


class Linear(nn.Module):
    """Logits [B, K] = weight [K, C, L] times flux [B, C, L]."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, flux: Tensor, mask: Tensor | None = None) -> Tensor:
        return torch.einsum("bcl,kcl->bk", flux, self.weight)


def test_saliency_of_a_linear_network_is_weight_times_input_and_sums_to_the_logit() -> None:
    torch.manual_seed(1)
    weight, flux = torch.randn(3, 2, 7), torch.randn(4, 2, 7)
    classes = torch.tensor([2, 0, 1, 2])
    inputs = Inputs(2, Unchanged(), [Flux()])
    found = gradient_times_input(Linear(weight), inputs, Batch(flux, None, None, np.arange(4)), classes)
    torch.testing.assert_close(found, weight[classes] * flux)
    logits = Linear(weight)(flux).gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(found.sum((1, 2)), logits.detach())


@pytest.mark.parametrize("name", channels.names)
def test_saliency_is_of_the_channels_that_are_made_of_the_scaled_flux(name: str) -> None:
    torch.manual_seed(1)
    flux, classes = torch.randn(2, 1, 40), torch.tensor([1, 0])
    batch = Batch(flux, torch.rand(2, 1, 40) + 1, torch.arange(80).reshape(2, 40) % 9 == 4, np.arange(2))
    of_flux, other = (Inputs(1, Unchanged(), [channels.build(channels.typed(each))]) for each in ("flux", name))
    weight = torch.randn(2, 2, 40)
    expected = gradient_times_input(Linear(weight[:, :1]), of_flux, batch, classes)
    found = gradient_times_input(Linear(weight), JoinedInputs([of_flux, other]), batch, classes)
    if name in ("snr", "log_ivar", "mask"):
        torch.testing.assert_close(found, expected)
        with pytest.raises(UserError, match=r"^inputs\.channels of the run names no channel that is made of"):
            gradient_times_input(Linear(weight[:, 1:]), other, batch, classes)
    else:
        torch.testing.assert_close(
            found, expected + gradient_times_input(Linear(weight[:, 1:]), other, batch, classes), rtol=1e-4, atol=1e-5
        )


def test_saliency_of_a_run_is_the_slope_of_its_logit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    survey = make_survey(tmp_path / "survey", num=3, length=40, flux=np.random.default_rng(0).normal(size=(3, 40)))
    run = make_run(tmp_path / "run", survey, [0, 1, 2], [0.9] * 3)
    add_network(run, survey)
    rows = np.array([2, 0])
    with caplog.at_level(logging.INFO):
        caplog.clear()  # the survey's packing, whichever test has set the level
        found = run_saliency(run.path, survey, rows, ["qso", "star"])
    assert found.shape == (2, 1, 40)
    # After the results of a sweep it would look as if training had begun again.
    assert not caplog.records

    classifier = Classifier.load(RunFolder(run.path))
    network = classifier.load_network(RunFolder(run.path)).double().eval()
    flux, _ = classifier.build_inputs()(torch.from_numpy(np.array(survey.flux[rows])), None, None)
    flux = flux.double()
    for spectrum, k in enumerate((2, 0)):
        for pixel in (0, 11, 39):
            step = torch.zeros_like(flux[:1])
            step[0, 0, pixel] = 1e-6
            with torch.no_grad():
                one = flux[spectrum : spectrum + 1]
                slope = (network(one + step)[0, k] - network(one - step)[0, k]) / 2e-6
            expected = float(slope * flux[spectrum, 0, pixel])
            assert found[spectrum, 0, pixel] == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_a_run_without_weights_is_reported(tmp_path: Path) -> None:
    survey = make_survey(tmp_path / "survey", num=3, length=40)
    run = make_run(tmp_path / "run", survey, [0, 1, 2], [0.9] * 3)
    add_network(run, survey)
    (run.path / "best.safetensors").unlink()
    with pytest.raises(UserError, match=r"has no best\.safetensors"):
        run_saliency(run.path, survey, np.array([0]), ["star"])


def test_saliency_leaves_a_gpu_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = make_survey(tmp_path / "survey", num=3, length=40)
    run = make_run(tmp_path / "run", survey, [0, 1, 2], [0.9] * 3)
    add_network(run, survey)
    moved: list[str] = []
    whole = nn.Module.to

    def to(module: nn.Module, *args: Any, **options: Any) -> nn.Module:
        if "device" in options:
            moved.append(str(options["device"]))
        return whole(module, *args, **options)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(nn.Module, "to", to)
    run_saliency(run.path, survey, np.array([0]), ["star"])
    assert moved == ["cpu"]
