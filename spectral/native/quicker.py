"""Whether a block is quicker in C++ than in bfloat16: measured once on a machine, then remembered."""

import json
import logging
import time
from collections.abc import Callable

import torch
from filelock import FileLock, Timeout
from torch import Tensor
from torch.nn import functional

from spectral.native.block import IDENTITY, NativeBlock
from spectral.native.library import library

log = logging.getLogger(__name__)

DILATIONS, NUM_FILTERS, NUM_SPECTRA, LENGTH = (1, 2, 4), 32, 16, 650
NUM_TURNS = 5
MARGIN = 1.1  # a smaller gain does not outweigh that a measurement on a busy machine may be wrong
WAIT_S = 60


def native_is_quicker() -> bool:
    """Whether a training step of a block takes less time in C++ and float32 than in PyTorch and bfloat16.

    What was measured first stands for all later runs, so that they give the same numbers.
    """
    built = library()
    if built.path is None:
        return False
    path = built.path.with_suffix(f".torch-{torch.__version__}.json")
    try:
        with FileLock(path.with_suffix(".lock"), timeout=WAIT_S):
            if not path.exists():
                part = path.with_suffix(".part")
                part.write_text(json.dumps(_measured()))
                part.replace(path)
        measured = json.loads(path.read_text())
        return bool(measured["native_s"] * MARGIN < measured["bfloat16_s"])
    except (OSError, Timeout, ValueError, KeyError, TypeError) as error:
        log.debug("The speed of the blocks in C++ is not known: %s.", error)
        return False


def _measured() -> dict[str, float]:
    """Seconds of a forward and backward pass of one block: the better of some turns, in which both alternate.

    Of one thread and of its own processor time, so that other work on the machine changes little.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(NUM_SPECTRA, NUM_FILTERS, 1, LENGTH, generator=generator)
    x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
    weights = []
    for _ in DILATIONS:
        weights.append(torch.randn(2 * NUM_FILTERS, NUM_FILTERS, 1, 3, generator=generator).mul_(0.1).requires_grad_())
        weights.append(torch.zeros(2 * NUM_FILTERS, requires_grad=True))
    block = NativeBlock(3, DILATIONS, IDENTITY)

    def native() -> Tensor:
        return block(x, None, weights, pools=True)

    def bfloat16() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return _plain(x, weights)

    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        turns = [(_seconds(native), _seconds(bfloat16)) for _ in range(NUM_TURNS + 1)][1:]
    finally:
        torch.set_num_threads(num_threads)
    return {"native_s": min(turn[0] for turn in turns), "bfloat16_s": min(turn[1] for turn in turns)}


def _plain(x: Tensor, weights: list[Tensor]) -> Tensor:
    """The same block in PyTorch, as spectral/models/reference.py has it."""
    y = x
    for weight, bias, dilation in zip(weights[::2], weights[1::2], DILATIONS, strict=True):
        y = functional.conv2d(y, weight, bias, padding=(0, dilation), dilation=(1, dilation)).relu()
        first, second = y.chunk(2, dim=1)
        y = first + second
    return functional.max_pool2d(x + y, (1, 2))


def _seconds(call: Callable[[], Tensor]) -> float:
    start = time.thread_time()
    call().float().sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return time.thread_time() - start
