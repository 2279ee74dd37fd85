"""How a network is run: device, precision, memory layout, compilation, kernel, threads. Never what it computes.

`auto` takes what was measured to be quick (docs/speed.md), from what the device says it supports.
"""

import contextlib
import ctypes
import logging
import os
import platform
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import nn

from spectral.errors import UserError
from spectral.native.block import NativeBlock
from spectral.native.library import library
from spectral.native.quicker import BFLOAT16, FLOAT32, TORCH, Way, quickest

log = logging.getLogger(__name__)

# Parameters of glibc's mallopt (malloc.h).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
TOP_PAD_BYTES = 64 << 20


@dataclass(frozen=True)
class Runtime:
    """Settings of one process; made by `choose_runtime`."""

    device: torch.device
    precision: str  # "float32", or "bfloat16": under autocast, so weights, logits and losses stay in float32
    channels_last: bool
    compile: bool
    num_threads: int
    kernel: str = "torch"  # "native": blocks of the reference network run in C++, with the options that it has

    def __str__(self) -> str:
        layout = "channels_last" if self.channels_last else "contiguous"
        compiled = ", compiled" if self.compile else ""
        kernel = f"{self.kernel} kernel, {self.num_threads} CPU threads"
        return f"{self.device} in {self.precision}, {layout}{compiled}, {kernel}"

    def prepare(self, network: nn.Module) -> nn.Module:
        """Bring the network, in place, to device, layout and kernel; return what to call in its stead."""
        network.to(device=self.device)
        for module in network.modules():
            # Blocks of the reference network alone: a module of a user may have a `kernel` of its own.
            if isinstance(getattr(module, "native", None), NativeBlock):
                module.kernel = self.kernel  # type: ignore[assignment]  # a module's attributes are typed as tensors
        if self.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its overloads lack this one
        if not self.compile:
            return network
        # Compiled code would draw its dropout in a way of its own, and cannot be made for all lengths at once.
        # The ignored type: of a module torch says no more than that it comes back callable.
        return torch.compile(network, dynamic=False, options={"fallback_random": True})  # type: ignore[return-value]

    def autocast(self) -> AbstractContextManager[object]:
        """Around the forward pass alone; the backward pass follows it by itself."""
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


@dataclass
class _Threads:
    """What `set_threads` has done in this process: the number that it gave, None for none, and the one before."""

    given: int | None = None
    before: int = 0


_threads = _Threads()


def set_threads(num_threads: int | None) -> None:
    """Set the number of CPU threads of this process.

    Args:
        num_threads: None takes back what a call before has given. The number is then PyTorch's own (a thread a core, or
            OMP_NUM_THREADS), or what somebody else has set.
    """
    now = torch.get_num_threads()
    if now != _threads.given:  # somebody else has set it since
        _threads.given, _threads.before = None, now
    if num_threads is not None:
        torch.set_num_threads(num_threads)
    elif _threads.given is not None:
        torch.set_num_threads(_threads.before)
    _threads.given = num_threads


def choose_runtime(
    device: str = "auto",
    precision: str = "auto",
    layout: str = "auto",
    compile: str = "auto",  # noqa: A002 - the config's key
    num_threads: int | None = None,
    kernel: str = "auto",
    kernel_before: str | None = None,
    precision_before: str | None = None,
    has_native: bool = True,
) -> Runtime:
    """Choose settings for this process, set its number of threads, and make a GPU give the same numbers each time.

    Args:
        device: 'auto' (CUDA, else MPS, else CPU), or a device of torch, such as 'cuda:1'.
        precision: 'auto' (bfloat16 where the device has instructions for it), 'float32' or 'bfloat16'.
        layout: 'auto' (channels_last but on MPS), 'channels_last' or 'contiguous'.
        compile: 'always' takes torch.compile; 'auto' and 'never' do not, since the time it takes is not won back.
        num_threads: of the CPU; None: that of torch, a thread a core of this process, unless somebody has set another.
        kernel: 'native' (a block of the reference network as one operation in C++, on the CPU), 'torch', or 'auto'
            (native where that is possible and quicker).
        kernel_before: with which the run began that is resumed; 'auto' then takes the same if it can.
        precision_before: likewise, if that kernel was 'native'; 'auto' or None: not known, so float32.
        has_native: whether the network has blocks for kernel='native'; 'auto' takes it only then.

    Raises:
        UserError: for a device that is not there, a compiler that is not, or settings that do not fit together.
    """
    set_threads(num_threads)
    # cuDNN would else take kernels that add in any order, and round float32 to the 10 bits of TF32.
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    found = find_device(device)
    quick_bfloat16 = has_quick_bfloat16(found)
    if precision == "bfloat16" and not quick_bfloat16:
        log.warning("precision=bfloat16 is slower than float32 here: %s has no instructions for it.", found)
    if compile == "always":
        _need_compiler(found)
    if kernel == "native":
        _need_native(found, precision, compile)
        if not has_native:
            log.warning("kernel=native does nothing: this network has no blocks for it.")
            kernel = "torch"
    if kernel == "auto":
        is_open = found.type == "cpu" and compile != "always" and layout != "contiguous"
        is_open = is_open and (has_native or kernel_before == "native")
        kernel = "auto" if is_open else "torch"
    if kernel != "torch" and kernel_before == "native" and precision == "auto":
        began_in_bfloat16 = precision_before == "bfloat16" and library().has_bfloat16
        precision = "bfloat16" if began_in_bfloat16 else "float32" if library().code else "auto"
    kernel, precision = _way(kernel, precision, quick_bfloat16, kernel_before)
    return Runtime(
        device=found,
        precision=precision,
        channels_last=found.type != "mps" if layout == "auto" else layout == "channels_last",
        compile=compile == "always",
        num_threads=torch.get_num_threads(),
        kernel=kernel,
    )


def _way(kernel: str, precision: str, quick_bfloat16: bool, before: str | None) -> Way:
    """A kernel and a precision for what may still be 'auto'; the kernel of `before` if it is still there."""
    plain = "bfloat16" if quick_bfloat16 and precision == "auto" else "float32" if precision == "auto" else precision
    if kernel == "torch":
        return kernel, plain
    if kernel == "auto":
        kernel = _kernel_before(before)
    ways = [FLOAT32] if precision != "bfloat16" else []
    ways += [BFLOAT16] if precision != "float32" and library().has_bfloat16 else []
    if kernel == "torch" or not ways:
        return "torch", plain
    return quickest([TORCH, *ways] if kernel == "auto" and plain == "bfloat16" else ways)


def _kernel_before(before: str | None) -> str:
    """The kernel with which a run began, if it is still there; 'auto' for one that begins now."""
    found = library()
    if before == "native" and found.code is None:
        log.warning("The run began with kernel=native, and that is gone: %s. It continues with torch.", found.problem)
    return "torch" if found.code is None else before or "auto"


def _need_native(device: torch.device, precision: str, compile: str) -> None:  # noqa: A002 - the config's key
    if device.type != "cpu":
        raise UserError(f"kernel=native runs on the CPU alone, and device is {device}: kernel=auto works everywhere.")
    if compile == "always":
        raise UserError("kernel=native is compiled already, and compile=always cannot change it: give one of the two.")
    if library().code is None:
        raise UserError(f"kernel=native is not possible here: {library().problem}. kernel=auto works without it.")
    if precision == "bfloat16" and not library().has_bfloat16:
        raise UserError("kernel=native computes in float32 here, and precision is bfloat16: give one of the two.")


def has_quick_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 numbers faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def tune_allocator() -> bool:
    """Let glibc keep freed memory for the next step; True if it does. Call once, before the first large tensor.

    By default each large activation is a fresh mapping, whose pages the kernel clears one fault at a time: a third of a
    training step. The process keeps its peak memory until it ends.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: -1, M_TOP_PAD: TOP_PAD_BYTES}
    return all(libc.mallopt(parameter, value) == 1 for parameter, value in settings.items())


def find_device(name: str) -> torch.device:
    """The device of a name of `choose_runtime`. Raises UserError if it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    present = ["cpu"]
    present += ["mps"] if torch.backends.mps.is_available() else []
    present += ["cuda"] if torch.cuda.is_available() else []
    present += [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if name not in present:
        raise UserError(f"device={name} is not on this machine: allowed are auto, {', '.join(present)}.")
    return torch.device(name)


def _need_compiler(device: torch.device) -> None:
    compiler = os.environ.get("CXX", "g++")
    if device.type == "cpu" and not shutil.which(compiler):
        raise UserError(
            f"compile=always needs a C++ compiler, and '{compiler}' is not on the path: compile=never works."
        )
    # Its compiler options are split at spaces (torch 2.13, _inductor/cpp_builder.py).
    if device.type == "cpu" and " " in torch.__file__:
        raise UserError(
            f"compile=always needs PyTorch in a folder without spaces, and it is in {torch.__file__}: "
            "compile=never works."
        )
