"""Every network, scaling and channel in an ONNX file."""

from typing import Any

import numpy as np
import pytest
import torch
from network_variants import VARIANTS

from spectral.configs.inputs import channels, transforms
from spectral.configs.models import models
from spectral.exporting.onnx_file import LARGEST_DIFFERENCE, exported, largest_difference
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.inference.onnx_predictor import ON_CPU, OnnxPredictor
from spectral.inference.predictor import Predictor
from spectral.scoring.decision import Decision

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def untrained(variant: str, length: int, **inputs: Any) -> Predictor:
    """A run of a network with random weights, whose rule corrects the prior and never chooses the last class."""
    torch.manual_seed(0)
    rule = Decision(3, np.array([1.0, 0.5, 2.0]))
    rule.slope, rule.offset = np.array([1.0, 1.2, 0.0]), np.array([0.1, 0.0, np.finfo(np.float64).max])
    made = [channels.typed(name) for name in inputs.get("channels", ["flux", "mask", "derivative"])]
    transform = transforms.typed(inputs.get("transform", "standardize"))
    learned = {"reference": [np.sin(np.arange(length)).tolist()] * 2} if transform.name == "msc" else {}
    spec = InputSpec(2, transform, made, "interpolate", learned)
    config = models.typed({"name": variant.split()[0], **VARIANTS.get(variant, {})})
    classifier = Classifier(config, spec, list("abc"), length, decision_state=rule.state())
    network = classifier.build_network().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    return Predictor(classifier, network, classifier.build_inputs(), ON_CPU, 256)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_network_is_exported(variant: str) -> None:
    predictor = untrained(variant, length=140)
    assert largest_difference(predictor, OnnxPredictor.load(exported(predictor))) <= LARGEST_DIFFERENCE


@pytest.mark.slow
@pytest.mark.parametrize("transform", transforms.names)
def test_every_scaling_is_exported(transform: str) -> None:
    predictor = untrained("fcn", length=50, transform=transform)
    assert largest_difference(predictor, OnnxPredictor.load(exported(predictor))) <= LARGEST_DIFFERENCE


@pytest.mark.slow
@pytest.mark.parametrize("channel", channels.names)
def test_every_channel_is_exported(channel: str) -> None:
    predictor = untrained("fcn", length=50, channels=["flux", channel] if channel != "flux" else ["flux"])
    assert largest_difference(predictor, OnnxPredictor.load(exported(predictor))) <= LARGEST_DIFFERENCE
