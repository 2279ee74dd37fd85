"""FITS tables written part by part, read back by astropy."""

import io

import numpy as np
import pyarrow as pa
from astropy.io import fits
from astropy.table import Table

from spectral.prediction.fits_table import FitsWriter, fits_names


def written(tables: list[pa.Table]) -> bytes:
    file = io.BytesIO()
    writer = FitsWriter(file, tables[0].schema, {"run": "outputs/" + "long/" * 30, "date": "2026-11-28"}, tables)
    for table in tables:
        writer.write(table)
    writer.close()
    return file.getvalue()


def test_every_type_is_read_back() -> None:
    columns = {
        "id": pa.array(["a", "bcd", None, "e"], pa.string()),
        "big": pa.array([2**62 + 1, -(2**62), None, 0], pa.int64()),
        "small": pa.array([1, -2, 3, None], pa.int16()),
        "byte": pa.array([0, 255, 7, 8], pa.uint8()),
        "huge": pa.array([2**64 - 1, 0, 1, None], pa.uint64()),
        "single": pa.array([0.1, None, -1, 3], pa.float32()),
        "double": pa.array([0.1, None, -1, 3], pa.float64()),
        "flag": pa.array([True, False, True, False]),
        "name": pa.array(["é", "x", "", None], pa.large_string()),
    }
    table = pa.table(columns)
    content = written([table.slice(0, 3), table.slice(3)])
    assert len(content) % 2880 == 0
    with fits.open(io.BytesIO(content)) as hdus:
        hdus.verify("exception")
        assert hdus[1].header["RUN"] == "outputs/" + "long/" * 30
    found = Table.read(io.BytesIO(content), format="fits")
    assert [str(value) for value in found["id"].filled("")] == ["a", "bcd", "", "e"]
    assert found["big"][:2].tolist() == [2**62 + 1, -(2**62)] and found["big"].mask.tolist() == [0, 0, 1, 0]
    assert found["small"][:3].tolist() == [1, -2, 3] and found["small"].mask[3]
    assert found["byte"].tolist() == [0, 255, 7, 8]
    assert found["huge"][0] == "18446744073709551615"
    for name, kind in (("single", np.float32), ("double", np.float64)):
        np.testing.assert_array_equal(np.ma.filled(found[name], np.nan), np.array([0.1, np.nan, -1, 3], kind))
    assert found["flag"].tolist() == [True, False, True, False]
    assert found["name"][0] == "\\xe9"


def test_missing_truth_values_and_bytes_stay_missing() -> None:
    table = pa.table({"flag": pa.array([True, None, False]), "byte": pa.array([0, 255, None], pa.uint8())})
    content = written([table.slice(0, 2), table.slice(2)])
    with fits.open(io.BytesIO(content), logical_as_bytes=True) as hdus:
        hdus.verify("exception")
        data, null = hdus[1].data, hdus[1].columns["byte"].null
        assert data["flag"].tolist() == [b"T", b"", b"F"] and data["byte"].tolist() == [0, 255, null]


def test_names_that_fits_cannot_tell_apart_are_numbered() -> None:
    names = ["probability/Star", "probability/star", "probability star", "id"]
    plain = ["probability_Star", "probability_star_2", "probability_star_3", "id"]
    assert list(fits_names(names).values()) == plain
