"""Rows that are checked at once, next to the same rows checked one by one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.data.packing import row_checks
from spectral.data.packing.row_checks import Row, Rules, check_row, check_rows
from spectral.data.readers.contract import Chunk

NUM, CHANNELS, LENGTH = 4, 2, 5
RULES = Rules("float32", "mask", "pad", CHANNELS, LENGTH, None)
STRANGE = np.nan, np.inf, 0.0, -1.0, 1e-6, 1e5, 3e38


def chunk_of(rng: np.random.Generator, has_ivar: bool, has_mask: bool) -> Chunk:
    shape = (NUM, CHANNELS, LENGTH)
    flux, ivar = (rng.uniform(1, 2, shape).astype(np.float32) for _ in range(2))
    ivar[rng.random(shape) < 0.2] = 0
    mask = rng.random((NUM, LENGTH)) < 0.3
    return Chunk([*flux], [*ivar] if has_ivar else None, [*mask] if has_mask else None)


def corrupt(chunk: Chunk, rng: np.random.Generator) -> None:
    """Give one row a strange number, a mask of bad pixels alone, another shape, or nothing."""
    row, pixel, kind = rng.integers(NUM), rng.integers(LENGTH), rng.integers(5)
    flux = chunk.flux[row]
    assert flux is not None
    if kind == 0:
        flux[0, pixel] = rng.choice(STRANGE)
    elif kind == 1 and chunk.ivar is not None:
        chunk.ivar[row][1, pixel] = rng.choice(STRANGE)
    elif kind == 2 and chunk.mask is not None:
        chunk.mask[row][:] = True
    elif kind == 3:
        chunk.flux[row] = flux[:, : LENGTH - 1]
    elif kind == 4:
        chunk.flux[row], chunk.problems[int(row)] = None, "cut short"


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.booleans(), st.booleans(), st.integers(0, 2), st.data())
def test_rows_have_the_arrays_and_problems_of_each_row_by_itself(
    seed: int, has_ivar: bool, has_mask: bool, num_corrupt: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    chunk = chunk_of(rng, has_ivar, has_mask)
    for _ in range(num_corrupt):
        if all(flux is not None and flux.shape[1] == LENGTH for flux in chunk.flux):
            corrupt(chunk, rng)
    options: dict[str, Any] = {
        "dtype": data.draw(st.sampled_from(["float32", "float16"])),
        "nan": data.draw(st.sampled_from(["mask", "error"])),
        "ivar_masks": data.draw(st.booleans()),
    }
    rules = replace(RULES, **options)
    alone = {position: check_row(chunk, position, rules) for position in range(NUM)}
    checked = check_rows(chunk, rules)
    assert checked.problems == {position: row for position, row in alone.items() if isinstance(row, str)}
    rows = [row for row in alone.values() if isinstance(row, Row)]
    assert checked.good.tolist() == [position for position, row in alone.items() if isinstance(row, Row)]
    if not rows:
        assert checked.arrays == {}
        return
    arrays, masked = checked.arrays, np.stack([row.mask for row in padded(rows)])
    assert arrays["flux"].dtype == rules.dtype
    np.testing.assert_array_equal(arrays["flux"], np.stack([row.flux for row in padded(rows)]))
    np.testing.assert_array_equal(arrays.get("mask", np.zeros_like(masked)), masked)
    assert arrays["num_no_ivar"].tolist() == [row.num_no_ivar for row in rows]
    assert arrays["lengths"].tolist() == [row.flux.shape[1] for row in rows]
    assert ("ivar" in arrays) == has_ivar
    if has_ivar:
        variances = [row.ivar for row in padded(rows) if row.ivar is not None]
        np.testing.assert_array_equal(arrays["ivar"], np.stack(variances))


def padded(rows: list[Row]) -> list[Row]:
    """The rows at the length of the longest; padding is masked."""
    length = max(row.flux.shape[1] for row in rows)
    wider = [length - row.flux.shape[1] for row in rows]
    return [
        replace(
            row,
            flux=np.pad(row.flux, ((0, 0), (0, more))),
            ivar=None if row.ivar is None else np.pad(row.ivar, ((0, 0), (0, more))),
            mask=np.pad(row.mask, (0, more), constant_values=True),
        )
        for row, more in zip(rows, wider, strict=True)
    ]


@pytest.mark.parametrize("num", [1, 2])  # alone, or after one that is looked at by itself
def test_float16_holds_what_is_too_large_in_a_masked_pixel_as_0(num: int) -> None:
    flux, mask = np.full((num, 1, LENGTH), 2, np.float32), np.zeros((num, LENGTH), bool)
    flux[-1, 0, 1:3], mask[-1, 1:3] = [1e5, 7], True
    flux[: num - 1, 0, 4] = np.nan
    checked = check_rows(Chunk([*flux], None, [*mask]), replace(RULES, dtype="float16", num_channels=1))
    assert checked.arrays["flux"][-1, 0].tolist() == [2, 0, 7, 2, 2]
    assert checked.arrays["mask"][-1].tolist() == [False, True, True, False, False]


@pytest.mark.parametrize(("value", "reason"), [(1e5, "too bright"), (1e-6, "too faint")])
def test_float16_is_asked_of_pixels_that_are_not_masked(value: float, reason: str) -> None:
    flux, mask = np.full((1, LENGTH), value, np.float32), np.arange(LENGTH) == 2
    flux[0, 2] = 1
    checked = check_rows(Chunk([flux], None, [mask]), replace(RULES, dtype="float16", num_channels=1))
    assert checked.problems[0].startswith(f"{reason} for data.dtype=float16")


@pytest.mark.parametrize("num", [1, 2])
def test_float16_is_asked_of_each_channel(num: int) -> None:
    flux = np.ones((num, 2, LENGTH), np.float32)
    flux[-1, 1] = 1e-17
    checked = check_rows(Chunk([*flux]), replace(RULES, dtype="float16", num_channels=2))
    assert checked.problems == {num - 1: "too faint for data.dtype=float16: 1e-17, at least 6.1e-05"}
    flux[-1, 1] = 0  # a channel without anything
    assert not check_rows(Chunk([*flux]), replace(RULES, dtype="float16", num_channels=2)).problems


def test_spectra_without_anything_strange_are_not_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = chunk_of(np.random.default_rng(0), has_ivar=True, has_mask=False)
    monkeypatch.setattr(row_checks, "check_row", lambda *_: pytest.fail("a row was checked by itself"))
    before = [np.array(flux) for flux in chunk.flux]
    checked = check_rows(chunk, RULES)
    checked.arrays["flux"][:] = 0
    np.testing.assert_array_equal(np.array(chunk.flux), before)  # what was read is left as it is
    assert checked.good.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", [">f4", "f8", "list"])
def test_rows_of_other_types_are_converted(kind: str) -> None:
    """A reader of a user's own may give them; the pack has float32 in the machine's byte order."""
    chunk = chunk_of(np.random.default_rng(0), has_ivar=True, has_mask=True)
    wanted = check_rows(chunk, RULES).arrays
    given: list[Any] = [row.tolist() if kind == "list" else row.astype(kind) for row in chunk.flux if row is not None]
    assert chunk.mask is not None
    found = check_rows(Chunk(given, chunk.ivar, [mask.astype(np.int8) for mask in chunk.mask]), RULES).arrays
    assert found.keys() == wanted.keys() and found["flux"].dtype == np.dtype("=f4")
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)


def test_no_spectra_are_no_arrays() -> None:
    checked = check_rows(Chunk([]), RULES)
    assert checked.arrays == {} and checked.problems == {} and not len(checked.good)
