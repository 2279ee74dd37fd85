"""How many pixels of a spectrum what applies a run says that its network needs."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch
from small_runs import OVERRIDES, arrays, run

from spectral import load_run
from spectral.configs.inputs import channels, transforms
from spectral.configs.models import models
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.inference.onnx_predictor import ON_CPU, OnnxPredictor
from spectral.inference.predictor import Predictor
from spectral.inference.too_short import warn_of_too_short
from spectral.models.fcn import FCN
from spectral.models.shift_average import ShiftAverage
from spectral.survey import Survey


def classifier_of(model: object) -> Classifier:
    inputs = InputSpec(1, transforms.typed("none"), [channels.typed("flux")], "interpolate")
    return Classifier(models.typed(model), inputs, ["a", "b"], length=140)


def of_onnx(classifier: Classifier) -> OnnxPredictor:
    return OnnxPredictor(classifier, session=None, inputs=classifier.build_inputs(), batch_size=8)


def test_if_a_network_needs_one_pixel_no_mask_is_read(caplog: pytest.LogCaptureFixture) -> None:
    class Unread:
        def take(self, *_: Any, **__: Any) -> None:
            raise AssertionError("a mask was read")

    flux, mask = np.zeros((3, 1, 140), np.float32), cast(Any, Unread())
    survey = Survey(flux, pd.DataFrame(index=range(3)), ("a", "b"), mask=mask)
    warn_of_too_short(classifier_of("fcn"), 1, survey, np.arange(3))
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture(params=[lambda rates: rates[1].item(), torch.Tensor.tolist, torch.Tensor.numpy])
def with_numbers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """`model=fcn` is a network that reads numbers off a tensor while it is built, as those with a rising drop path."""
    read: Callable[[torch.Tensor], Any] = request.param

    class WithNumbers(FCN):
        min_pixels = 8

        def __init__(self, *, num_channels: int, num_classes: int, **options: Any) -> None:
            super().__init__(num_channels=num_channels, num_classes=num_classes, **options)
            self.rates = read(torch.linspace(0, 0.1, 3))

    monkeypatch.setattr("spectral.models.fcn.FCN", WithNumbers)


@pytest.mark.parametrize(("model", "needed"), [({"name": "reference", "num_blocks": 2}, 2), ("fcn", 1)])
def test_it_is_what_the_network_says_alone_or_averaged_over_shifts(model: object, needed: int) -> None:
    classifier = classifier_of(model)
    network, inputs = classifier.build_network(), classifier.build_inputs()
    for applied in (network, ShiftAverage(network, [-1, 0, 1])):
        assert Predictor(classifier, applied, inputs, ON_CPU, 8).min_pixels == needed
    assert of_onnx(classifier).min_pixels == needed


@pytest.mark.usefixtures("with_numbers")
def test_a_network_that_cannot_be_built_without_memory_is_trained_and_applied(
    pack_folder: Path, tmp_path: Path
) -> None:
    own = ("model=fcn", "model.widths=[4,4,4]", "schedule.stages.0.epochs=1")
    common = [option for option in OVERRIDES if not option.startswith("model.")]
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path}", *common, *own])
    trained = load_run(tmp_path, device="cpu", precision="float32", num_threads=1)
    assert trained.predict_proba(arrays(num=4)["flux"]).shape == (4, 3)
    assert trained.predictor.min_pixels == 8


@pytest.mark.usefixtures("with_numbers")
def test_of_an_onnx_file_of_such_a_network_it_is_one() -> None:
    assert of_onnx(classifier_of("fcn")).min_pixels == 1
