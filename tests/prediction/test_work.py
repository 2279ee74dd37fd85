"""The parts of a catalog of predictions."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from left_parts import leave_part

from spectral.errors import UserError
from spectral.prediction.work import Part, Work


def tables(*sizes: int) -> list[pa.Table]:
    starts = np.cumsum([0, *sizes])
    rows = [range(start, start + size) for start, size in zip(starts, sizes, strict=False)]
    return [pa.table({"id": [f"s{row}" for row in some], "number": list(some)}) for some in rows]


def work(folder: Path, rows_per_part: int = 7, **plan: object) -> Work:
    return Work(folder / "cat.csv", {"rows_per_part": rows_per_part, **plan})


def test_the_catalog_is_cut_into_the_rows_of_the_parts(tmp_path: Path) -> None:
    made = work(tmp_path)
    made.list_spectra(tables(3, 20, 1, 6))
    assert made.spans == [(0, 7), (7, 14), (14, 21), (21, 28), (28, 30)] and made.num_rows == 30
    found = [table["number"].to_pylist() for table in made.catalog(["number"])]
    assert found == [list(range(*span)) for span in made.spans]
    assert made.id_of(23) == "s23" and made.repeated_id() is None


def test_an_id_that_is_there_twice_is_found(tmp_path: Path) -> None:
    made = work(tmp_path)
    made.list_spectra([*tables(9), pa.table({"id": ["s4"], "number": [9]})])
    assert made.repeated_id() == "s4"


def test_a_part_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = work(tmp_path)
    made.list_spectra(tables(9))
    values = np.random.default_rng(0).random((7, 3))
    values[2] = np.nan
    assert not made.is_done((0, 7))
    made.write((0, 7), Part(values, {2: "no good pixel"}))
    found = made.read((0, 7))
    np.testing.assert_array_equal(found.probabilities, values)
    assert found.problems == {2: "no good pixel"} and made.num_done() == 7 and not made.is_whole()


def test_a_damaged_part_is_removed_and_made_again(tmp_path: Path) -> None:
    made = work(tmp_path)
    made.write((0, 7), Part(np.zeros((7, 2)), {}))
    made.path((0, 7)).write_bytes(made.path((0, 7)).read_bytes()[:-40])
    with pytest.raises(UserError, match="was removed: the same command makes it again"):
        made.read((0, 7))
    assert not made.is_done((0, 7))


def test_what_a_killed_join_has_left_of_the_file_is_removed(tmp_path: Path) -> None:
    made = work(tmp_path)
    left, foreign = leave_part(made.out), leave_part(tmp_path / "other.csv")
    with made.locked():
        assert not left.exists() and foreign.exists()


def test_parts_without_the_list_of_spectra_are_not_joined(tmp_path: Path) -> None:
    made = work(tmp_path)
    made.list_spectra(tables(9))
    assert len(made.spans) == 2
    made.remove()  # as another command does, which has joined its parts
    for span in made.spans:
        made.write(span, Part(np.zeros((span[1] - span[0], 2)), {}))
    assert not made.is_whole()


def test_parts_of_another_plan_are_never_used(tmp_path: Path) -> None:
    one, other = work(tmp_path, model="a"), work(tmp_path, model="b")
    one.write((0, 7), Part(np.zeros((7, 2)), {}))
    assert one.is_done((0, 7)) and not other.is_done((0, 7))
    other.remove()
    assert one.is_done((0, 7))
