"""Every registered network, and the reference network with each of its options, small enough to test in a moment."""

import dataclasses
from typing import Any

import torch
from torch import nn

from spectral.configs.models import models

SMALL = {"width": 4, "num_blocks": 4, "head_width": 8}

VARIANTS: dict[str, dict[str, Any]] = {
    "fcn": {"widths": [6, 8, 6]},
    "inception_time": {"num_filters": 4, "bottleneck": 3},
    "inception_time bottleneck=0 depth=4": {"num_filters": 4, "bottleneck": 0, "depth": 4},
    "inception_time residual=false": {"num_filters": 4, "bottleneck": 3, "residual": False},
    "lite_time": {"num_filters": 4},
    "lite_time kernel_size=9": {"num_filters": 5, "kernel_size": 9},
    "resnet1d": {"widths": [6, 8, 8]},
    "reference": SMALL,
    "reference widths": {**SMALL, "widths": [3, 6, 6, 5]},
    "reference kernel_sizes": {**SMALL, "kernel_sizes": [3, 8, 5], "dilations": [1, 3]},
    "reference head_width=0": {**SMALL, "head_width": 0},
    # Eight units to squeeze into: of one or two, ReLU may silence all.
    "reference squeeze_excite=1": {**SMALL, "width": 8, "squeeze_excite": 1},
    "reference pooling=average": {**SMALL, "pooling": "average"},
    "reference max_length=70": {**SMALL, "max_length": 70},
    **{f"reference norm={kind}": {**SMALL, "norm": kind} for kind in ("batch", "layer", "group")},
    **{f"reference residual={kind}": {**SMALL, "residual": kind} for kind in ("scaled", "none")},
    **{f"reference dropout_kind={kind}": {**SMALL, "dropout_kind": kind} for kind in ("element", "channel")},
    **{
        f"reference head={kind}": {**SMALL, "head": kind} for kind in ("average", "max_average", "attention", "flatten")
    },
}

# Options whose code others of these run too, or that act in training alone.
SLOW_VARIANTS = {
    *("inception_time bottleneck=0 depth=4", "inception_time residual=false", "lite_time kernel_size=9"),
    *("reference head_width=0", "reference pooling=average", "reference max_length=70", "reference norm=group"),
    *("reference residual=none", "reference dropout_kind=element", "reference dropout_kind=channel"),
    *("reference head=average", "reference head=max_average"),
}
assert set(VARIANTS) >= SLOW_VARIANTS


def build_network(variant: str, num_channels: int = 2, num_classes: int = 3, length: int = 140, **options: Any) -> Any:
    torch.manual_seed(5)
    if "dropout" not in {field.name for field in dataclasses.fields(models.entry(variant.split()[0]).config)}:
        options.pop("dropout", None)  # tests turn it off; a network without it needs nothing
    config = models.typed({"name": variant.split()[0], **VARIANTS.get(variant, {}), **options})
    network = models.build(config, num_channels=num_channels, num_classes=num_classes, length=length)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after some training: far from mean 0 and variance 1
            module.running_mean.uniform_(-1, 1)
            module.running_var.uniform_(0.5, 2)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):  # away from zero, so that what leaks into the padding shows
            nn.init.uniform_(parameter, -0.2, 0.2)
    return network
