"""Which way of computing a block is the quickest: measured once on a machine, then remembered."""

import json
import logging
import time
from collections.abc import Sequence

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


# A kernel and a precision.
Way = tuple[str, str]
TORCH: Way = ("torch", "bfloat16")
FLOAT32: Way = ("native", "float32")
BFLOAT16: Way = ("native", "bfloat16")


def quickest(ways: Sequence[Way]) -> Way:
    """The way in which a training step of a block takes the least time; the first one if that is not known.

    What was measured first stands for all later runs, so that they give the same numbers.
    """
    built = library()
    if built.path is None or len(ways) == 1:
        return ways[0]
    path = built.path.with_suffix(f".torch-{torch.__version__}.json")
    try:
        with FileLock(path.with_suffix(".lock"), timeout=WAIT_S):
            if not path.exists():
                part = path.with_suffix(".part")
                part.write_text(json.dumps(_measured()))
                part.replace(path)
        measured = json.loads(path.read_text())
        return min(ways, key=lambda way: float(measured[" ".join(way)]) * (1 if way == TORCH else MARGIN))
    except (OSError, Timeout, ValueError, KeyError, TypeError) as error:
        log.debug("The speed of the blocks in C++ is not known: %s.", error)
        return ways[0]


@torch.inference_mode(False)  # with gradients, also for a caller who has switched them off
def _measured() -> dict[str, float]:
    """Seconds of a forward and backward pass of one block by each way: the best of some turns, in which all alternate.

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

    def step(way: Way) -> float:
        start = time.thread_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=way[1] == "bfloat16"):
            y = _plain(x, weights) if way == TORCH else block(x, None, weights, pools=True)
        y.float().sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return time.thread_time() - start

    ways = [TORCH, FLOAT32, *([BFLOAT16] if library().has_bfloat16 else [])]
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        turns = [[step(way) for way in ways] for _ in range(NUM_TURNS + 1)][1:]
    finally:
        torch.set_num_threads(num_threads)
    return {" ".join(way): min(seconds) for way, seconds in zip(ways, zip(*turns, strict=True), strict=True)}


def _plain(x: Tensor, weights: list[Tensor]) -> Tensor:
    """The same block in PyTorch, as spectral/models/reference.py has it."""
    y = x
    for weight, bias, dilation in zip(weights[::2], weights[1::2], DILATIONS, strict=True):
        y = functional.conv2d(y, weight, bias, padding=(0, dilation), dilation=(1, dilation)).relu()
        first, second = y.chunk(2, dim=1)
        y = first + second
    return functional.max_pool2d(x + y, (1, 2))
