"""Settings of a process: what is chosen, what is refused, and that none changes what is computed."""

import copy
import shutil

import pytest
import torch

from spectral.configs.models import models
from spectral.errors import UserError
from spectral.runtime import choose_runtime


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cpu:1", ""])
def test_a_device_that_is_not_there_is_named(device: str) -> None:
    with pytest.raises(UserError, match=rf"device={device} is not on this machine: allowed are auto, cpu"):
        choose_runtime(device)


def test_a_gpu_is_told_to_repeat_itself_and_to_keep_float32() -> None:
    choose_runtime("cpu")
    assert torch.backends.cudnn.deterministic and not torch.backends.cudnn.allow_tf32


def test_the_number_of_threads_is_that_asked_for() -> None:
    assert choose_runtime("cpu", num_threads=2).num_threads == torch.get_num_threads() == 2


def training_step(layout: str, compile_: str, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    """Logits of a network with dropout, and its gradients."""
    runtime = choose_runtime("cpu", "float32", layout, compile_)
    options = {"name": "reference", "width": 4, "num_blocks": 2, "head_width": 4}
    torch.manual_seed(0)
    network = models.build(models.typed(options), num_channels=2, num_classes=3, length=64).to(dtype)
    flux = torch.randn(4, 2, 64, dtype=dtype)
    called = runtime.prepare(copy.deepcopy(network).train())
    torch.manual_seed(1)
    logits = called(flux)
    logits.square().sum().backward()
    return [logits.detach(), *(p.grad for p in called.parameters() if p.grad is not None)]


def test_layout_changes_nothing() -> None:
    torch.testing.assert_close(training_step("channels_last", "never"), training_step("contiguous", "never"))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("default")  # of the compiler's own
def test_compilation_changes_nothing_not_even_dropout() -> None:
    torch.testing.assert_close(training_step("auto", "always"), training_step("auto", "never"))
