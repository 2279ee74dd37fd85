"""Rows are asked for one batch early, and exactly theirs."""

import mmap
from pathlib import Path

import numpy as np
import pytest
import torch

from spectral.inputs.batches import BatchSource
from spectral.inputs.prefetch import Prefetch


class Recorded:
    """A memory map that notes what is asked of it."""

    def __init__(self, asked: list[tuple[int, int]]) -> None:
        self.asked = asked

    def madvise(self, option: int, start: int, length: int) -> None:
        assert option == mmap.MADV_WILLNEED and start % mmap.PAGESIZE == 0
        self.asked.append((start, length))


@pytest.fixture
def flux(tmp_path: Path) -> "np.memmap":
    """Spectra of 2,600 pixels in a file."""
    np.save(tmp_path / "flux.npy", np.arange(50 * 2600, dtype=np.float32).reshape(50, 1, 2600))
    return np.load(tmp_path / "flux.npy", mmap_mode="r")


@pytest.mark.parametrize("view", ["whole", "part"])
def test_what_is_asked_for_holds_the_rows_and_hardly_more(flux: "np.memmap", view: str) -> None:
    array = flux if view == "whole" else flux[7:]
    prefetch, asked = Prefetch([array, None, np.zeros((3, 2))]), list[tuple[int, int]]()
    ((_, first, row_bytes),) = prefetch._maps
    prefetch._maps = [(Recorded(asked), first, row_bytes)]  # type: ignore[list-item]  # records in place of the map
    rows = np.array([0, len(array) - 1, 20, 20])
    prefetch.ask_for(rows)
    content = Path(str(flux.filename)).read_bytes()
    for row, (start, length) in zip(rows, asked, strict=True):
        assert content[start : start + length].endswith(array[row].tobytes())
        assert length < row_bytes + mmap.PAGESIZE


def test_rows_are_asked_for_one_batch_early(flux: "np.memmap", monkeypatch: pytest.MonkeyPatch) -> None:
    events = []
    monkeypatch.setattr(Prefetch, "ask_for", lambda _, rows: events.append(("asked", rows[0])))
    for rows in Prefetch([flux]).early(np.array([i]) for i in range(3)):
        events.append(("taken", rows[0]))
    assert events == [("asked", 0), ("asked", 1), ("taken", 0), ("asked", 2), ("taken", 1), ("taken", 2)]
    assert list(Prefetch([flux]).early([])) == []


@pytest.mark.parametrize("kind", ["taken", "backwards"])
def test_what_does_not_lie_row_by_row_in_a_map_is_left_alone(flux: "np.memmap", kind: str) -> None:
    array = {"taken": np.take(flux, [2, 0], axis=0), "backwards": flux[::-1]}[kind]
    assert isinstance(array, np.memmap)
    rows = np.arange(len(array))
    (batch,) = BatchSource(array, None, torch.device("cpu")).batches([rows])
    np.testing.assert_array_equal(batch.flux.numpy(), array)
    assert not Prefetch([array])._maps


def test_batches_of_a_memory_map_are_its_rows(flux: "np.memmap") -> None:
    source = BatchSource(flux, None, torch.device("cpu"))
    all_rows = [np.array([3, 49]), np.array([0]), np.array([], dtype=np.int64)]
    for rows, batch in zip(all_rows, source.batches(all_rows), strict=True):
        assert batch.rows is rows
        np.testing.assert_array_equal(batch.flux.numpy(), flux[rows])
