"""Blocks of spectra, read while the network classifies the ones before."""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pyarrow as pa

from spectral.data.packing.parts import Span
from spectral.data.packing.workers import leave_ending_to_parent
from spectral.errors import UserError
from spectral.prediction.blocks import Block, Blocks

_blocks: Blocks | None = None  # of this reading process


def read_ahead(blocks: Blocks, spans: Iterable[Span], num_workers: int) -> Iterator[Block]:
    """The blocks of these spans, in their order.

    One block per worker is read, and one more waits, while the caller uses the one before: this bounds the memory.

    Args:
        num_workers: reading processes; 0: a thread of this process.

    Raises:
        UserError: a process was killed.
    """
    pool, num_ahead = _pool(blocks, num_workers), max(1, num_workers) + 1
    waiting: deque[Future[Block]] = deque()
    read = _read if num_workers else blocks.read
    try:
        for span in spans:
            waiting.append(pool.submit(read, span))
            if len(waiting) > num_ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(
            "A reading process was killed, most often for lack of memory: a smaller data.rows_per_part or "
            "data.num_workers helps, and finished parts are kept."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(blocks: Blocks, num_workers: int) -> Executor:
    if not num_workers:
        return ThreadPoolExecutor(1)
    context = multiprocessing.get_context("spawn")  # the same on every system, and safe next to threads
    return ProcessPoolExecutor(num_workers, mp_context=context, initializer=_start, initargs=(blocks,))


def _start(blocks: Blocks) -> None:
    global _blocks
    _blocks = blocks
    pa.set_memory_pool(pa.system_memory_pool())  # as packing.workers.lean_tables
    leave_ending_to_parent()


def _read(span: Span) -> Block:
    assert _blocks is not None
    return _blocks.read(span)
