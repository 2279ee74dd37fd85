"""Batches of flux, whichever way they reach the device."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spectral.inputs import batches as batches_module
from spectral.inputs.batches import Batch, BatchSource

CPU = torch.device("cpu")
NUM, CHANNELS, LENGTH = 20, 2, 7
FLUX = np.random.default_rng(0).normal(size=(NUM, CHANNELS, LENGTH)).astype(np.float16)
IVAR = np.random.default_rng(2).random((NUM, CHANNELS, LENGTH)).astype(np.float32)
MASK = np.random.default_rng(1).random((NUM, LENGTH)) < 0.3
ROWS = [np.array([3, 3, 19]), np.array([0]), np.array([7, 1])]


@pytest.fixture
def flux(tmp_path: Path) -> NDArray[np.float16]:
    """A read-only map, as a survey has it."""
    np.save(tmp_path / "flux.npy", FLUX)
    mapped: NDArray[np.float16] = np.load(tmp_path / "flux.npy", mmap_mode="r")
    return mapped


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("mask", [None, MASK])
def test_batches_are_the_rows_asked_for(
    flux: NDArray[np.float16], mask: NDArray[np.bool_] | None, resident: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_module, "_fits", lambda num_bytes, device: resident)
    monkeypatch.setattr(batches_module, "COPY_BYTES", 3 * flux[0].nbytes)  # 20 is not a multiple of 3
    store = BatchSource(flux, mask, CPU, ivar=IVAR)
    assert store.resident == resident
    for batch, rows in zip(store.batches(ROWS), ROWS, strict=True):
        np.testing.assert_array_equal(batch.flux, FLUX[rows])
        np.testing.assert_array_equal(batch.ivar, IVAR[rows])
        assert batch.mask is None if mask is None else np.array_equal(batch.mask, mask[rows])


@pytest.mark.parametrize("mask", [None, MASK])
def test_shorter_spectra_are_padded_and_the_padding_masked(
    flux: NDArray[np.float16], mask: NDArray[np.bool_] | None
) -> None:
    batch = BatchSource(flux, mask, CPU, ivar=IVAR, length=LENGTH + 2).gather(ROWS[0])
    assert batch.flux.shape == (3, CHANNELS, LENGTH + 2) and not batch.flux[..., LENGTH:].any()
    assert batch.ivar is not None and not batch.ivar[..., LENGTH:].any()
    inside = np.zeros((3, LENGTH), dtype=bool) if mask is None else mask[ROWS[0]]
    assert batch.mask is not None
    np.testing.assert_array_equal(batch.mask, np.pad(inside, ((0, 0), (0, 2)), constant_values=True))


def batches(num: int) -> Iterator[Batch]:
    for row in range(num):
        yield Batch(torch.full((1, 1, 1), float(row)), None, None, np.array([row]))


def test_batches_made_ahead_are_the_same_in_the_same_order() -> None:
    made = list(batches_module.ahead(batches(10), num_ahead=3))
    assert [float(batch.flux) for batch in made] == list(range(10))


def test_an_error_in_the_thread_is_raised_in_the_reader_of_batches() -> None:
    def broken() -> Iterator[Batch]:
        yield from batches(2)
        raise OSError("the disk went away")

    taken = batches_module.ahead(broken(), num_ahead=3)
    assert [int(next(taken).rows[0]) for _ in range(2)] == [0, 1]
    with pytest.raises(OSError, match="the disk went away"):
        next(taken)


def test_the_thread_ends_when_its_batches_are_no_longer_read() -> None:
    before = threading.active_count()
    taken = batches_module.ahead(batches(1000), num_ahead=2)
    next(taken)
    assert threading.active_count() == before + 1
    taken.close()  # type: ignore[attr-defined]  # a generator is an iterator
    assert threading.active_count() == before
