"""Properties of Parquet files alone."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spectral.data.readers.arrays.opening import open_arrays
from spectral.data.readers.fingerprints import file_stamp
from spectral.errors import UserError


def opened(folder, table, **options):
    pd.DataFrame(table).to_parquet(folder / "survey.parquet")
    return open_arrays(str(folder / "survey.parquet"), **options)


def read_all(reader):
    return reader.read(np.arange(len(reader.catalog())))


def test_lists_may_differ_in_length_or_be_missing(tmp_path):
    chunk = read_all(opened(tmp_path, {"type": list("abcd"), "flux": [[1.0, 2.0], [3.0, None, 5.0], None, []]}))
    np.testing.assert_array_equal(chunk.flux[0], [[1, 2]])
    np.testing.assert_array_equal(chunk.flux[1], [[3, np.nan, 5]])
    assert chunk.flux[2:] == [None, None] and chunk.problems == {2: "no flux", 3: "no flux"}


def test_a_column_with_several_values_a_row_may_be_named_as_no_pixel(tmp_path):
    table = {"type": ["a"], "origin": [{"by": "me"}], "p0": [1.0], "p1": [2.0]}
    np.testing.assert_array_equal(read_all(opened(tmp_path, table, extra=("origin",))).flux[0], [[1, 2]])
    with pytest.raises(UserError, match=r"has no column 'orogin' \(data\.extra\)"):
        opened(tmp_path, table, extra=("orogin",)).catalog()


def test_channels(tmp_path):
    chunk = read_all(opened(tmp_path, {"flux": [[[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0, 3.0]]]}))
    np.testing.assert_array_equal(chunk.flux[0], [[1, 2], [3, 4]])
    assert chunk.problems == {1: "channels of different lengths: 1, 2"}


def test_lists_of_inverse_variances_and_masks_stand_next_to_flux(tmp_path):
    table = {
        "flux": [[1.0, 2.0], [3.0], [4.0, 5.0]],
        "IVAR": [[1e39, None], [0.5], None],
        "mask": [[0, 4], [None], [1, 1]],
    }
    reader = opened(tmp_path, table)
    chunk = read_all(reader)
    np.testing.assert_array_equal(chunk.ivar[0], np.array([[np.finfo(np.float32).max, np.nan]], np.float32))
    np.testing.assert_array_equal(chunk.ivar[1], [[0.5]])
    assert [mask.tolist() for mask in chunk.mask] == [[False, True], [True], [True, True]]
    assert chunk.problems == {2: "no ivar (under another name, the column 'IVAR' is not read)"}
    assert chunk.flux[2] is None
    without = opened(tmp_path, {"flux": table["flux"]})
    assert without.read(np.arange(2)).ivar is None and without.read(np.arange(2)).mask is None


def test_lists_of_inverse_variances_and_masks_may_have_other_names_and_a_fixed_size(tmp_path):
    flux, weight, bad = np.ones((3, 2), "f8"), np.arange(6.0).reshape(3, 2), np.eye(3, 2, dtype=bool)
    lists = {
        name: pa.FixedSizeListArray.from_arrays(values.ravel(), 2)
        for name, values in {"flux": flux, "weight": weight, "bad": bad}.items()
    }
    pq.write_table(pa.table(lists), tmp_path / "survey.parquet")
    unread = open_arrays(str(tmp_path / "survey.parquet"))
    reader = open_arrays(str(tmp_path / "survey.parquet"), ivar_key="weight", mask_key="bad")
    chunk = read_all(reader)
    np.testing.assert_array_equal(np.concatenate(chunk.ivar), weight)
    np.testing.assert_array_equal(np.stack(chunk.mask), bad)
    assert reader.fingerprint() != unread.fingerprint()  # earlier versions did not read them: it is packed again


def test_inverse_variances_have_channels_as_flux_has(tmp_path):
    flux = np.arange(6.0).reshape(3, 2)
    table = {"flux": [flux.tolist()] * 2, "ivar": [(flux + 1).tolist(), [[1.0, 2.0], [3.0]]]}
    chunk = read_all(opened(tmp_path, table, channels_last=True))
    np.testing.assert_array_equal(chunk.ivar[0], flux.T + 1)
    assert chunk.problems == {1: "ivar with pixels of different numbers of channels: 2, 1"}


@pytest.mark.parametrize(
    ("part", "flux", "cells"),
    [
        ("ivar", [1.0, 2.0], [["high", "low"]] * 3),
        ("mask", [1.0, 2.0], [["good", "bad"]] * 3),
        ("mask", [1.0, 2.0, 3.0], [[0, 2], [], [1, 2, 3]]),  # which pixels are bad
        ("ivar", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0]] * 3),
        ("mask", [[1.0, 2.0], [3.0, 4.0]], [[[0, 1], [0, 0]]] * 3),
        ("ivar", [1.0, 2.0], [[1.0, 2.0], None, None]),
    ],
)
def test_a_column_that_only_its_name_makes_an_ivar_or_mask_is_left_out(tmp_path, caplog, part, flux, cells):
    reader = opened(tmp_path, {"flux": [flux] * 3, part: cells})
    with caplog.at_level("INFO"):
        chunk = read_all(reader)
    assert len(chunk.flux) == 3 and not chunk.problems and getattr(chunk, part) is None
    assert reader.fingerprint() == file_stamp(reader.path)  # as without the column
    assert f"left out: {part}." in caplog.text
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert (
        f"the column '{part}' is left out, since its cells do not fit the flux: data.{part}_key=NAME names another."
        in warning
    )


def test_the_log_says_which_columns_were_taken(tmp_path, caplog):
    with caplog.at_level("INFO"):
        opened(tmp_path, {"flux": [[1.0]], "IVAR": [[1.0]], "mask": [[0]]}).catalog()
    assert "flux: the lists in flux, ivar: IVAR, mask: mask, label: none" in caplog.text
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_whole_numbers_and_missing_pixels(tmp_path):
    table = {"label": [3, 1], "p0": pd.array([1, None], dtype="Int16"), "p1": np.array([7, 8], dtype=np.uint8)}
    reader = opened(tmp_path, table)
    assert reader.catalog()["label"].tolist() == ["3", "1"]
    np.testing.assert_array_equal(np.concatenate(read_all(reader).flux), [[1, 7], [np.nan, 8]])


def test_an_index_of_pandas_is_not_a_pixel(tmp_path):
    reader = opened(tmp_path, pd.DataFrame({"p0": [1.0, 2.0], "p1": [3.0, 4.0]}, index=[5, 3]))
    np.testing.assert_array_equal(np.concatenate(read_all(reader).flux), [[1, 3], [2, 4]])
    assert reader.catalog()["id"].tolist() == ["0", "1"]


def test_a_rewritten_file_is_read_again(tmp_path):
    table = {"flux": [[1.0, 2.0], [3.0, 4.0]]}
    np.testing.assert_array_equal(read_all(opened(tmp_path, table)).flux[1], [[3, 4]])
    table["flux"][1] = [5.0, 6.0]
    np.testing.assert_array_equal(read_all(opened(tmp_path, table)).flux[1], [[5, 6]])


@pytest.mark.parametrize(
    ("table", "options", "sentence"),
    [
        ({"type": ["a"], "p0": [1.0], "p1": ["x"]}, {}, "the column 'p1' of .*string .* name it in data.extra"),
        ({"x": [[1.0]], "y": [[1.0]]}, {}, "several list columns, choose by data.flux_key: allowed: x, y"),
        ({"flux": [[1.0]]}, {"flux_key": "flx"}, r"no list column 'flx' \(data.flux_key\): did you mean 'flux'"),
        ({"flux": [[1.0]], "w": [[1.0]]}, {"ivar_key": "v"}, "no list column 'v' for data.ivar_key: .*allowed: w"),
        ({"p0": [1.0], "p1": [2.0]}, {"mask_key": "m"}, "has no list column 'm' for data.mask_key"),
        (
            {"flux": [[1.0]], "ivar": [["x"]]},
            {"ivar_key": "ivar"},
            "ivar in .* are lists of string in the column 'ivar'",
        ),
        ({"flux": [[1.0]], "bad": [[[1]]]}, {"mask_key": "bad"}, "mask in .* are lists of list<.* in the column 'bad'"),
        ({"flux": [[1.0]]}, {"id_key": "name"}, r"no 'name' \(data.id_key\)"),
        ({"type": ["a"]}, {}, "has no columns of pixels: type"),
        ({"id": [1, 1], "flux": [[1.0], [2.0]]}, {}, "the id '1' more than once"),
        ({"type": pd.Series([], dtype="str"), "p0": pd.Series([], dtype="float")}, {}, "has no rows"),
    ],
)
def test_a_table_that_does_not_fit_is_reported_in_one_sentence(tmp_path, table, options, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        opened(tmp_path, table, **options).catalog()
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_reported_in_one_sentence(tmp_path):
    reader = opened(tmp_path, {"flux": [[1.0]]})
    reader.path.write_bytes(reader.path.read_bytes()[:-20])
    with pytest.raises(UserError, match="is not a whole Parquet file"):
        reader.catalog()


def test_a_file_that_is_damaged_inside_is_one_sentence(tmp_path):
    reader = opened(tmp_path, {"id": np.arange(500), "flux": list(np.random.default_rng(0).normal(size=(500, 8)))})
    content = bytearray(reader.path.read_bytes())
    content[2000:20000] = bytes(18000)
    reader.path.write_bytes(content)
    with pytest.raises(UserError, match=r"survey.parquet cannot be read: .*\.$") as caught:
        read_all(reader)
    assert "\n" not in str(caught.value)


def test_more_channels_than_pixels_are_asked_about(tmp_path):
    cells = [[[1.0], [2.0], [3.0]]] * 2
    with pytest.raises(UserError, match=r"has 3 channels of 1 pixels .* a cell is \[C\]\[L\]: data.channels_last=true"):
        opened(tmp_path, {"flux": cells}).catalog()
    assert len(opened(tmp_path, {"flux": cells}, channels_last=False).catalog()) == 2
    as_it_stands, turned = (opened(tmp_path, {"flux": cells}, channels_last=last) for last in (False, True))
    assert turned.fingerprint() != as_it_stands.fingerprint()  # what was packed of it as it stands is packed again


def test_pixels_may_stand_before_channels(tmp_path):
    rng = np.random.default_rng(0)
    cells = [rng.normal(size=(length, 2)).astype(np.float32) for length in (5, 3)]
    bad = [[[1.0, 2.0], [3.0]], None, [], [[1.0, 2.0], None]]
    table = {"flux": [*(cell.tolist() for cell in cells), *bad]}
    chunk = read_all(opened(tmp_path, table, channels_last=True))
    for flux, cell in zip(chunk.flux, cells, strict=False):
        np.testing.assert_array_equal(flux, cell.T)
    different = "pixels of different numbers of channels: 2, "
    assert chunk.problems == {2: different + "1", 3: "no flux", 4: "no flux", 5: "no flux"}


@pytest.mark.parametrize(
    ("table", "there"),
    [({"flux": [[1.0, 2.0]]}, r"lists \[L\]"), ({"p0": [1.0], "p1": [2.0]}, "a column for each pixel")],
)
def test_channels_that_are_not_there_stand_nowhere(tmp_path, table, there):
    with pytest.raises(UserError, match=rf"channels_last=true needs lists \[L\]\[C\]: .*survey.parquet has {there}\.$"):
        opened(tmp_path, table, channels_last=True).catalog()


def test_a_damaged_schema_is_one_sentence(tmp_path):
    opened(tmp_path, {"flux": [[1.0], [2.0]]})
    raw = (tmp_path / "survey.parquet").read_bytes()
    footer = int.from_bytes(raw[-8:-4], "little")
    (tmp_path / "survey.parquet").write_bytes(raw[: -8 - footer] + b"\xff" * footer + raw[-8:])
    with pytest.raises(UserError, match="is not a whole Parquet file"):
        open_arrays(str(tmp_path / "survey.parquet")).catalog()


def test_lists_that_hold_no_numbers_are_no_flux(tmp_path):
    pixels = {f"p{i}": np.arange(4.0) + i for i in range(5)}
    reader = opened(tmp_path, {**pixels, "type": list("abab"), "tags": [["x"]] * 4, "origin": [{"by": "me"}] * 4})
    np.testing.assert_array_equal(read_all(reader).flux[1], [[1, 2, 3, 4, 5]])
    assert reader.catalog().columns.tolist() == ["id", "label"]
    lists = opened(tmp_path, {"spectrum": [[1.0, 2.0]] * 2, "tags": [["x"]] * 2})
    np.testing.assert_array_equal(read_all(lists).flux[0], [[1, 2]])


@pytest.mark.parametrize(("name", "key"), [("flux", None), ("words", "words")])
def test_flux_that_holds_no_numbers_is_refused(tmp_path, name, key):
    reader = opened(tmp_path, {name: [["1.0", "x"]] * 2}, flux_key=key)
    with pytest.raises(UserError, match=rf"The flux in .* are lists of \w+ in the column '{name}', not of numbers"):
        reader.catalog()


@pytest.mark.parametrize("length", [2, 5])  # coordinates, or a mask
def test_lists_next_to_as_many_columns_of_numbers_are_asked_about(tmp_path, length):
    pixels = {f"p{i}": np.arange(4.0) + i for i in range(5)}
    table = {**pixels, "type": list("abab"), "other": [[1.0] * length, None, [2.0] * length, []]}
    sentence = r"lists of numbers in the column 'other' and 5 columns of numbers, p0 to p4: data.flux_key=other takes"
    with pytest.raises(UserError, match=sentence):
        opened(tmp_path, table).catalog()
    np.testing.assert_array_equal(read_all(opened(tmp_path, table, extra=("other",))).flux[1], [[1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(read_all(opened(tmp_path, table, flux_key="other")).flux[0], [[1.0] * length])


def test_lists_of_more_numbers_than_there_are_columns_are_flux(tmp_path):
    magnitudes = {f"mag{i}": [20.0, 21.0] for i in range(3)}
    reader = opened(tmp_path, {**magnitudes, "spectrum": [[1.0, 2.0, 3.0, 4.0]] * 2})
    np.testing.assert_array_equal(read_all(reader).flux[1], [[1, 2, 3, 4]])
    assert {"mag0", "mag1", "mag2"} <= {*reader.catalog()}
