"""Batches of flux on the device, gathered by row index: no loader processes where an index gather will do."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Rows = NDArray[np.int64]
COPY_BYTES = 2**26  # of a survey on its way to a device


class Batch(NamedTuple):
    """Transformed flux [B, C, L] float32, mask [B, L] (True = bad or padding) or None, and the survey rows [B]."""

    flux: Tensor
    mask: Tensor | None
    rows: Rows


class BatchSource:
    """A survey's flux, kept on the device when it fits in half of the free memory there, else read as it is needed.

    On the CPU, and for a survey too large for the device, rows are gathered from the survey's memory map, which all
    jobs on a machine share in the page cache; for a device the next batches are then prepared by a thread.
    """

    def __init__(
        self,
        flux: NDArray[Any],
        mask: NDArray[np.bool_] | None,
        transform: Callable[[Tensor, Tensor | None], Tensor],
        device: torch.device,
        length: int | None = None,
    ) -> None:
        """Args:
        flux: [N, C, L], as a rule a memory map.
        mask: [N, L], True = bad or padding.
        transform: of a batch's flux [B, C, L] and mask [B, L], on the device.
        length: of the batches; shorter spectra are padded, which a network cannot see. The survey's own by default.
        """
        self._flux, self._mask, self._transform, self.device = flux, mask, transform, device
        self._num_padding = (length or flux.shape[2]) - flux.shape[2]
        num_bytes = flux.nbytes + (0 if mask is None else mask.nbytes)
        self.resident = _fits(num_bytes, device)
        if self.resident:
            self._flux_there = _copied(flux, device)
            self._mask_there = None if mask is None else _copied(mask, device)

    def gather(self, rows: Rows) -> Batch:
        flux, mask = self._rows_there(rows) if self.resident else self._to_device(*self._rows_here(rows))
        flux, mask = _padded(flux.float(), mask, self._num_padding)
        return Batch(self._transform(flux, mask), mask, rows)

    def batches(self, all_rows: Iterable[Rows]) -> Iterator[Batch]:
        """One batch for each array of rows."""
        if self.resident or self.device.type == "cpu":
            yield from map(self.gather, all_rows)
        else:
            yield from _ahead(map(self.gather, all_rows), num_ahead=3)

    def _rows_there(self, rows: Rows) -> tuple[Tensor, Tensor | None]:
        index = torch.from_numpy(rows).to(self.device, non_blocking=True)
        return self._flux_there[index], None if self._mask_there is None else self._mask_there[index]

    def _rows_here(self, rows: Rows) -> tuple[Tensor, Tensor | None]:
        flux = torch.from_numpy(np.take(self._flux, rows, axis=0))
        return flux, None if self._mask is None else torch.from_numpy(np.take(self._mask, rows, axis=0))

    def _to_device(self, flux: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        return flux.to(self.device), None if mask is None else mask.to(self.device)


def _padded(flux: Tensor, mask: Tensor | None, num_padding: int) -> tuple[Tensor, Tensor | None]:
    if num_padding == 0:
        return flux, mask
    mask = torch.zeros_like(flux[:, 0], dtype=torch.bool) if mask is None else mask
    return functional.pad(flux, (0, num_padding)), functional.pad(mask, (0, num_padding), value=True)


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


def _ahead(batches: Iterator[Batch], num_ahead: int) -> Iterator[Batch]:
    """The same batches, made by a thread up to `num_ahead` early; its errors are raised here."""
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(num_ahead)
    stopped = threading.Event()

    def make() -> None:
        try:
            for batch in batches:
                _put(ready, batch, stopped)
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


def _put(
    ready: "queue.Queue[Batch | BaseException | None]", item: Batch | BaseException | None, stopped: threading.Event
) -> None:
    """Wait for room, unless nobody will take the item any more."""
    while not stopped.is_set():
        try:
            return ready.put(item, timeout=0.1)
        except queue.Full:
            continue
