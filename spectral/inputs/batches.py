"""Batches of spectra on the device, gathered by row index: an index gather needs no loader processes.

N spectra, B batch, S survey channels, L length.
"""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from spectral.inputs.prefetch import Prefetch

Rows = NDArray[np.int64]
Item = TypeVar("Item")
COPY_BYTES = 2**26  # of a survey on its way to a device


class Batch(NamedTuple):
    """Spectra of the survey on the device: flux and inverse variance [B, S, L], mask [B, L] (True = bad or padding)."""

    flux: Tensor
    ivar: Tensor | None
    mask: Tensor | None
    rows: Rows  # of the survey [B]


class BatchSource:
    """A survey's spectra, kept on the device if they fit in half of the free memory there, else read as needed.

    On the CPU, and for a survey too large for the device, rows are gathered from the survey's memory map, which all
    jobs on a machine share in the page cache; those of the next batch that are not there are read from disk meanwhile.
    For a device a thread then prepares the next batches.

    Args:
        flux: [N, S, L], as a rule a memory map.
        mask: [N, L], True = bad or padding.
        ivar: inverse variance [N, S, L]; None if no channel needs it.
        length: of the batches; shorter spectra are padded, which a network cannot see. The survey's own by default.
    """

    def __init__(
        self,
        flux: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        device: torch.device,
        *,
        ivar: NDArray[np.float32] | None = None,
        length: int | None = None,
    ) -> None:
        self.device = device
        self._num_padding = (length or flux.shape[2]) - flux.shape[2]
        arrays = (flux, ivar, mask)
        self.resident = _fits(sum(array.nbytes for array in arrays if array is not None), device)
        self._arrays = arrays
        self._prefetch = Prefetch(arrays)
        if self.resident:
            self._on_device = tuple(None if array is None else _copied(array, device) for array in arrays)

    def gather(self, rows: Rows) -> Batch:
        """The batch of the survey rows [B]."""
        flux, ivar, mask = self._from_device(rows) if self.resident else self._from_survey(rows)
        assert flux is not None
        return Batch(*padded(flux, ivar, mask, self._num_padding), rows)

    def batches(self, all_rows: Iterable[Rows]) -> Iterator[Batch]:
        """One batch for each array of rows."""
        if self.resident:
            yield from map(self.gather, all_rows)
            return
        gathered = map(self.gather, self._prefetch.early(all_rows))
        yield from gathered if self.device.type == "cpu" else ahead(gathered, num_ahead=3)

    def _from_device(self, rows: Rows) -> list[Tensor | None]:
        index = self._sent(torch.from_numpy(rows))
        return [None if tensor is None else tensor[index] for tensor in self._on_device]

    def _from_survey(self, rows: Rows) -> list[Tensor | None]:
        taken = (None if array is None else np.take(array, rows, axis=0) for array in self._arrays)
        return [None if array is None else self._sent(torch.from_numpy(array)) for array in taken]

    def _sent(self, tensor: Tensor) -> Tensor:
        """A tensor on the device. CUDA copies from pinned memory: nobody waits, but steps and copies take turns."""
        is_cuda = self.device.type == "cuda"
        return (tensor.pin_memory() if is_cuda else tensor).to(self.device, non_blocking=is_cuda)


def padded(
    flux: Tensor, ivar: Tensor | None, mask: Tensor | None, num_padding: int
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Flux and inverse variance [B, S, L] and mask [B, L] with some pixels more at their ends, which are masked."""
    if num_padding == 0:
        return flux, ivar, mask
    mask = torch.zeros_like(flux[:, 0], dtype=torch.bool) if mask is None else mask
    flux, ivar = (
        functional.pad(flux, (0, num_padding)),
        None if ivar is None else functional.pad(ivar, (0, num_padding)),
    )
    return flux, ivar, functional.pad(mask, (0, num_padding), value=True)


def _fits(num_bytes: int, device: torch.device) -> bool:
    """Whether a survey of some bytes is to live on the device; on the CPU the memory map is as good."""
    free_bytes = 0
    if device.type == "cuda":
        free_bytes = torch.cuda.mem_get_info(device)[0]
    elif device.type == "mps":
        free_bytes = torch.mps.recommended_max_memory()
    return num_bytes < free_bytes / 2


def _copied(array: NDArray[Any], device: torch.device) -> Tensor:
    """The whole array on the device, some rows at a time: in memory it would stay for as long as the process lives."""
    num_rows = max(1, COPY_BYTES // array[0].nbytes)
    there = torch.empty(array.shape, dtype=torch.from_numpy(array[:0].copy()).dtype, device=device)
    for start in range(0, len(array), num_rows):
        there[start : start + num_rows] = torch.from_numpy(np.array(array[start : start + num_rows]))
    return there


def ahead(items: Iterator[Item], num_ahead: int) -> Iterator[Item]:
    """The same items, made by a thread up to `num_ahead` early; its errors are raised here."""
    ready: queue.Queue[Item | BaseException | None] = queue.Queue(num_ahead)
    stopped = threading.Event()

    def make() -> None:
        try:
            for item in items:
                _put(ready, item, stopped)
                if stopped.is_set():
                    return
            _put(ready, None, stopped)
        except BaseException as error:
            _put(ready, error, stopped)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()


def _put(ready: "queue.Queue[Any]", item: Any, stopped: threading.Event) -> None:
    """Wait for room, unless nobody will take the item any more."""
    while not stopped.is_set():
        try:
            return ready.put(item, timeout=0.1)
        except queue.Full:
            continue
