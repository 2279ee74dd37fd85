"""Settings of a process: what is chosen, what is refused, and that none changes what is computed."""

import copy
import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest
import seeds
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spectral.configs.models import models
from spectral.errors import UserError
from spectral.native.library import library
from spectral.runtime import Runtime, choose_runtime, has_quick_bfloat16, tune_allocator

# Relative errors of the loss and of the whole gradient, as a vector. Rounding to 24 and 8 bits (6e-8 and 4e-3) is
# small in the loss; in the gradient it moves whole terms if it flips which position is the maximum or which side of
# zero ReLU is on. Found: up to 9e-7 and 8e-4 in float32, 5e-3 and 0.14 in bfloat16. A wrong sign or mask gives about 1.
TOLERANCE = {"float32": (1e-5, 5e-3), "bfloat16": (2e-2, 0.25)}
NETWORKS = {
    "reference": {"width": 16, "num_blocks": 3, "head_width": 8, "dropout": 0.0},
    "reference of many parts": {"width": 6, "num_blocks": 2, "kernel_sizes": [3, 4], "norm": "batch", "dropout": 0.0},
    "resnet1d": {"widths": [8, 12, 12]},
    "inception_time": {"num_filters": 4},
    "lite_time": {"num_filters": 4},
    "fcn": {"widths": [8, 16, 8]},
}
HAS_NATIVE = pytest.mark.skipif(library().code is None, reason="needs a C++ compiler")
CAN_COMPILE = pytest.mark.skipif(
    not shutil.which("g++") or " " in torch.__file__,
    reason="torch.compile needs a C++ compiler and a path without spaces",
)


def build(name: str, num_channels: int, length: int) -> nn.Module:
    torch.manual_seed(3)
    config = models.typed({"name": name.split()[0], **NETWORKS[name]})
    network: nn.Module = models.build(config, num_channels=num_channels, num_classes=3, length=length)
    return network


def loss_and_gradient(call: Callable[[Tensor], Tensor], network: nn.Module, runtime: Runtime, flux: Tensor) -> list:
    """Loss [] and gradient of all weights [P], as the training loop has them, then widened to float64."""
    with runtime.autocast():
        logits = call(flux)
    assert logits.dtype in (torch.float32, torch.float64)
    loss = F.cross_entropy(logits, torch.arange(len(flux)) % 3)
    loss.backward()
    return [loss.detach().double(), torch.cat([p.grad.flatten().double() for p in network.parameters()])]


SETTINGS = [*itertools.product(TOLERANCE, ["channels_last", "contiguous"], [(1, 133), (3, 64)])]
# Each value of two settings with each of the third.
QUICK = [one for one in SETTINGS if ((one[0] == "float32") + (one[1] == "contiguous") + (one[2][0] == 1)) % 2]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("precision", "layout", "shape"),
    [pytest.param(*setting, marks=() if setting in QUICK else pytest.mark.slow) for setting in SETTINGS],
)
def test_every_setting_computes_what_float64_does(
    name: str, precision: str, layout: str, shape: tuple[int, int]
) -> None:
    num_channels, length = shape
    flux = torch.randn(24, num_channels, length, generator=seeds.generator(1))
    exact, network = build(name, num_channels, length).double(), build(name, num_channels, length)
    plain, runtime = choose_runtime("cpu", "float32", "contiguous"), choose_runtime("cpu", precision, layout)
    expected_loss, expected = loss_and_gradient(exact, exact, plain, flux.double())
    loss, gradient = loss_and_gradient(runtime.prepare(network), network, runtime, flux)
    loss_tolerance, gradient_tolerance = TOLERANCE[precision]
    assert abs(loss - expected_loss) <= loss_tolerance * expected_loss
    assert (gradient - expected).norm() <= gradient_tolerance * expected.norm()


def step_with_dropout(layout: str, compile_: str) -> list[Tensor]:
    """Logits and gradients, in float64."""
    runtime = choose_runtime("cpu", "float32", layout, compile_)
    options = {"name": "reference", "width": 4, "num_blocks": 2, "head_width": 4}
    torch.manual_seed(0)
    network = models.build(models.typed(options), num_channels=2, num_classes=3, length=64).double()
    flux = torch.randn(4, 2, 64, dtype=torch.float64)
    called = runtime.prepare(copy.deepcopy(network).train())
    torch.manual_seed(1)
    logits = called(flux)
    logits.square().sum().backward()
    return [logits.detach(), *(p.grad for p in called.parameters() if p.grad is not None)]


def test_layout_changes_nothing_not_even_dropout() -> None:
    torch.testing.assert_close(step_with_dropout("channels_last", "never"), step_with_dropout("contiguous", "never"))


@pytest.mark.slow
@CAN_COMPILE
@pytest.mark.filterwarnings("default")  # of the compiler's own
def test_compilation_changes_nothing_not_even_dropout() -> None:
    torch.testing.assert_close(step_with_dropout("auto", "always"), step_with_dropout("auto", "never"))


@pytest.mark.slow
@CAN_COMPILE
@pytest.mark.filterwarnings("default")  # of the compiler's own
def test_a_compiled_network_computes_what_float64_does_at_several_lengths() -> None:
    exact, network = build("reference", 1, 133).double(), build("reference", 1, 133)
    plain, runtime = choose_runtime("cpu", "float32"), choose_runtime("cpu", "bfloat16", compile="always")
    compiled = runtime.prepare(network)
    for length in (133, 96):
        flux = torch.randn(24, 1, length, generator=seeds.generator(1))
        for each in (exact, network):
            each.zero_grad()
        _, expected = loss_and_gradient(exact, exact, plain, flux.double())
        _, gradient = loss_and_gradient(compiled, network, runtime, flux)
        assert (gradient - expected).norm() <= TOLERANCE["bfloat16"][1] * expected.norm()


def weights_after_training(runtime: Runtime) -> list[Tensor]:
    network = build("reference", 1, 140)
    prepared, flux = runtime.prepare(network), torch.randn(24, 1, 140)
    optimizer = torch.optim.Adam(network.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        loss_and_gradient(prepared, network, runtime, flux)
        optimizer.step()
    return [p.detach() for p in network.parameters()]


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_the_same_seed_gives_identical_weights(precision: str) -> None:
    runtime = choose_runtime("cpu", precision, num_threads=2)
    first, second = weights_after_training(runtime), weights_after_training(runtime)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_weights_keep_their_names_and_precision() -> None:
    network = build("reference", 1, 140)
    names = list(network.state_dict())
    choose_runtime("cpu", "bfloat16").prepare(network)
    assert list(network.state_dict()) == names
    assert {p.dtype for p in network.parameters()} == {torch.float32}


@HAS_NATIVE
def test_the_runtime_gives_the_network_its_kernel() -> None:
    network = build("reference", 1, 140)
    choose_runtime("cpu", kernel="native").prepare(network)
    assert {block.kernel for block in network.blocks} == {"native"}
    choose_runtime("cpu", kernel="torch").prepare(network)
    assert {block.kernel for block in network.blocks} == {"torch"}


class OwnKernel(nn.Module):
    """A network of a user, with blocks of the reference network next to kernels of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = build("reference", 1, 140)
        self.kernel = nn.Parameter(torch.ones(3))
        self.conv = nn.Conv1d(1, 1, 3)
        self.conv.kernel = "wide"  # type: ignore[assignment]  # a module's attributes are typed as tensors


@HAS_NATIVE
def test_kernels_of_other_modules_are_left_alone() -> None:
    network = OwnKernel()
    choose_runtime("cpu", kernel="native").prepare(network)
    assert {block.kernel for block in network.reference.blocks} == {"native"}
    assert network.kernel.tolist() == [1, 1, 1] and network.conv.kernel == "wide"


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cpu:1", ""])
def test_a_missing_device_is_named(device: str) -> None:
    with pytest.raises(UserError, match=rf"device={device} is not on this machine: allowed are auto, cpu"):
        choose_runtime(device)


def test_auto_takes_cuda_if_there_is_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert choose_runtime().device == torch.device("cuda")
    assert choose_runtime("cuda:1").precision == "float32"
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    assert choose_runtime("cuda:1").precision == "bfloat16"


@pytest.mark.parametrize(
    ("capabilities", "quick"),
    [({}, False), ({"avx512_bf16": False, "amx_bf16": False}, False), ({"avx512_bf16": True}, True)],
)
def test_auto_precision_depends_on_the_processor(
    capabilities: dict[str, bool], quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr("spectral.runtime.quickest", lambda ways: ways[0])
    assert has_quick_bfloat16(torch.device("cpu")) is quick
    assert choose_runtime("cpu").precision == ("bfloat16" if quick else "float32")


def test_asking_for_slow_bfloat16_is_granted_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert choose_runtime("cpu", "bfloat16").precision == "bfloat16"
    assert "slower than float32" in caplog.text


def test_compilation_without_a_compiler_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UserError, match=r"^compile=always needs a C\+\+ compiler, and 'no-such-compiler' is not"):
        choose_runtime("cpu", compile="always")
    assert not choose_runtime("cpu", compile="auto").compile


def test_compilation_in_a_path_with_spaces_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", sys.executable)
    monkeypatch.setattr(torch, "__file__", "/my checkout/torch/__init__.py")
    with pytest.raises(UserError, match=r"^compile=always needs PyTorch in a folder without spaces"):
        choose_runtime("cpu", compile="always")


def test_a_gpu_is_set_to_deterministic_float32() -> None:
    choose_runtime("cpu")
    assert torch.backends.cudnn.deterministic and not torch.backends.cudnn.allow_tf32


def test_the_number_of_threads_is_the_one_asked_for() -> None:
    assert choose_runtime("cpu", num_threads=2).num_threads == torch.get_num_threads() == 2


def test_null_threads_are_not_those_of_an_earlier_call() -> None:
    """A process may hold several runs: the jobs of a worker, whose number its slot has set, or those of a notebook."""
    torch.set_num_threads(3)
    choose_runtime("cpu", num_threads=2)
    choose_runtime("cpu", num_threads=1)
    assert [choose_runtime("cpu").num_threads for _ in range(2)] == [3, 3] and torch.get_num_threads() == 3
    choose_runtime("cpu", num_threads=1)
    torch.set_num_threads(2)  # by somebody else
    assert choose_runtime("cpu").num_threads == torch.get_num_threads() == 2


FAULTS = """
import os, resource, threading, torch
from spectral.runtime import tune_allocator

def step():  # as a training step does: activations of many sizes, kept, then freed
    kept = [torch.ones(num * 100_000) for num in range(10, 100, 10)]

torch.set_num_threads(1)
if not os.fork():  # two processes that have imported torch once: first this one, as the allocator is
    tuned = False
else:
    os.wait()
    tuned = tune_allocator()
for _ in range(8):  # the heap has found its shape by then
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, flush=True)
# A thread other than the main one must still be given more than its arena holds.
sums = []
thread = threading.Thread(target=lambda: sums.append(torch.ones(40_000_000).sum().item()))
thread.start()
thread.join()
assert sums == [40_000_000]
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc")
def test_a_tuned_allocator_reuses_freed_pages() -> None:
    ended = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, check=True)
    plain, tuned = map(int, ended.stdout.split())
    # Three steps ask for 540 MB: some 132,000 pages of 4 KiB, or fewer larger ones.
    assert tuned < plain / 10


def test_an_allocator_of_another_kind_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert tune_allocator() is False
