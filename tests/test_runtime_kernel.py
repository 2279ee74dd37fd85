"""Which kernel and precision a process takes, by what the machine has and what settings leave open."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from network_variants import VARIANTS, build_network

from spectral.builders import begin_runtime
from spectral.configs.inputs import channels, transforms
from spectral.configs.models import models, runs_natively
from spectral.configs.root import ExperimentConfig
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.native.library import Library
from spectral.native.quicker import BFLOAT16, FLOAT32, TORCH, Way
from spectral.runs.folder import RunFolder
from spectral.runtime import choose_runtime


def with_kernels(
    monkeypatch: pytest.MonkeyPatch, *, built: bool, bfloat16: bool, order: tuple[Way, ...] = (BFLOAT16, FLOAT32, TORCH)
) -> None:
    """Pretend to be another machine, on which the ways of computing a block are quick in this order."""
    code = SimpleNamespace(has_bfloat16=lambda: bfloat16)
    found = Library(code=cast(Any, code)) if built else Library(problem="there is no C++ compiler on the path")
    monkeypatch.setattr("spectral.runtime.library", lambda: found)
    monkeypatch.setattr("spectral.runtime.quickest", lambda ways: min(ways, key=order.index))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": bfloat16})


AMX = BFLOAT16, TORCH, FLOAT32
SLOW_BFLOAT16 = FLOAT32, TORCH, BFLOAT16
SLOW_NATIVE = TORCH, BFLOAT16, FLOAT32


@pytest.mark.parametrize(
    ("order", "settings", "kernel", "precision"),
    [
        (AMX, {}, "native", "bfloat16"),
        (SLOW_BFLOAT16, {}, "native", "float32"),
        (SLOW_NATIVE, {}, "torch", "bfloat16"),
        (AMX, {"precision": "float32"}, "native", "float32"),
        (SLOW_NATIVE, {"precision": "float32"}, "native", "float32"),
        (SLOW_BFLOAT16, {"precision": "bfloat16"}, "torch", "bfloat16"),
        (AMX, {"precision": "bfloat16"}, "native", "bfloat16"),
        (AMX, {"layout": "contiguous"}, "torch", "bfloat16"),
        (SLOW_NATIVE, {"kernel": "native"}, "native", "bfloat16"),
        (SLOW_BFLOAT16, {"kernel": "native"}, "native", "float32"),
        (SLOW_BFLOAT16, {"kernel": "native", "precision": "bfloat16"}, "native", "bfloat16"),
        (AMX, {"kernel": "torch"}, "torch", "bfloat16"),
        # A run that is resumed keeps its kernel, unless the command names another.
        (SLOW_NATIVE, {"kernel_before": "native", "precision_before": "bfloat16"}, "native", "bfloat16"),
        (AMX, {"kernel_before": "native", "precision_before": "float32"}, "native", "float32"),
        (AMX, {"kernel_before": "native", "precision_before": "auto"}, "native", "float32"),
        (AMX, {"kernel_before": "torch"}, "torch", "bfloat16"),
        (AMX, {"kernel_before": "native", "kernel": "torch"}, "torch", "bfloat16"),
        # A network without native blocks has nothing to gain by them.
        (SLOW_BFLOAT16, {"has_native": False}, "torch", "bfloat16"),
        (SLOW_BFLOAT16, {"has_native": False, "kernel_before": "native"}, "native", "float32"),
    ],
)
def test_kernel_and_precision_are_the_quickest_that_settings_leave(
    order: tuple[Way, ...],
    settings: dict[str, Any],
    kernel: str,
    precision: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_kernels(monkeypatch, built=True, bfloat16=True, order=order)
    runtime = choose_runtime("cpu", **settings)
    assert (runtime.kernel, runtime.precision) == (kernel, precision)


@pytest.mark.parametrize(
    ("built", "bfloat16", "settings", "kernel", "precision"),
    [
        (True, False, {}, "native", "float32"),
        (True, False, {"precision": "bfloat16"}, "torch", "bfloat16"),
        (True, False, {"kernel": "native"}, "native", "float32"),
        (True, False, {"kernel": "torch"}, "torch", "float32"),
        (True, False, {"kernel_before": "torch"}, "torch", "float32"),
        (True, False, {"kernel_before": "native", "kernel": "torch"}, "torch", "float32"),
        (True, False, {"has_native": False}, "torch", "float32"),
        (False, False, {}, "torch", "float32"),
        (False, True, {}, "torch", "bfloat16"),
        (False, True, {"kernel_before": "native"}, "torch", "bfloat16"),
        (True, False, {"kernel_before": "native", "precision_before": "bfloat16"}, "native", "float32"),
    ],
)
def test_kernel_and_precision_are_possible_on_the_machine(
    built: bool,
    bfloat16: bool,
    settings: dict[str, Any],
    kernel: str,
    precision: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_kernels(monkeypatch, built=built, bfloat16=bfloat16)
    runtime = choose_runtime("cpu", **settings)
    assert (runtime.kernel, runtime.precision) == (kernel, precision)


@pytest.mark.parametrize(
    ("built", "settings", "sentence"),
    [
        (False, {}, "kernel=native is not possible here: there is no C++ compiler on the path."),
        (True, {"precision": "bfloat16"}, "kernel=native computes in float32 here, and precision is bfloat16"),
        (True, {"device": "cuda:0"}, "kernel=native runs on the CPU alone, and device is cuda:0"),
    ],
)
def test_a_native_kernel_that_cannot_be_had_ends_in_one_sentence(
    built: bool, settings: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_kernels(monkeypatch, built=built, bfloat16=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    with pytest.raises(UserError, match=f"^{re.escape(sentence)}"):
        choose_runtime(**{"device": "cpu", "kernel": "native", **settings})


@pytest.mark.parametrize(
    ("model", "precision"), [("reference", "float32"), ("reference norm=batch", "bfloat16"), ("fcn", "bfloat16")]
)
def test_a_network_without_native_blocks_keeps_its_bfloat16(
    model: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In training and where the run is applied, on a machine that computes those blocks quickest in float32."""
    with_kernels(monkeypatch, built=True, bfloat16=True, order=SLOW_BFLOAT16)
    config = models.typed({"name": model.split()[0], **VARIANTS[model]})
    experiment = ExperimentConfig(device="cpu", model=config)
    assert begin_runtime(experiment, RunFolder(tmp_path)).precision == precision
    spec = InputSpec(1, transforms.typed("standardize"), [channels.typed("flux")], "zero")
    assert Classifier(config, spec, ["a", "b"], 140).choose_runtime("cpu").precision == precision


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_network_says_whether_it_has_native_blocks(variant: str) -> None:
    blocks = [getattr(module, "native", None) for module in build_network(variant).modules()]
    config = models.typed({"name": variant.split()[0], **VARIANTS[variant]})
    assert runs_natively(config) is any(block is not None for block in blocks)


@pytest.mark.parametrize("has_native", [False, True])
def test_a_native_kernel_without_use_is_said(
    has_native: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with_kernels(monkeypatch, built=True, bfloat16=False)
    assert choose_runtime("cpu", kernel="native", has_native=has_native).precision == "float32"
    assert ("kernel=native does nothing" in caplog.text) is not has_native
