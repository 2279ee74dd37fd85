"""The wavelengths that columns are named by, and names that are numbers but no wavelengths."""

import logging

import numpy as np
import pytest
from pixel_tables import FLUX, GRID, LABELS, LENGTH, check_flux, saved, table

from spectral.configs.data import readers
from spectral.data.packing.pack import open_or_pack
from spectral.data.readers.arrays.opening import open_arrays
from spectral.data.readers.fingerprints import file_stamp
from spectral.errors import UserError


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("unit", "first", "last"),
    [("angstrom", 4000.5, 4030.5), ("nm", 40005, 40305), ("cm-1", 1e8 / 4000.5, 1e8 / 4030.5)],
)
def test_names_that_are_numbers(tmp_path, suffix, unit, first, last):
    reader = open_arrays(saved(tmp_path, table(GRID, label=LABELS), suffix), wave_unit=unit)
    np.testing.assert_allclose(reader.wave_angstrom()[[0, -1]], [first, last])


def test_names_with_their_unit(tmp_path):
    reader = open_arrays(saved(tmp_path, table([f"{name}nm" for name in GRID], label=LABELS)))
    np.testing.assert_allclose(reader.wave_angstrom()[0], 40005)
    check_flux(reader)
    with pytest.raises(UserError, match="does not fit the column names"):
        open_arrays(saved(tmp_path, table([f"{name}nm" for name in GRID])), wave_unit="um").wave_angstrom()


@pytest.mark.parametrize("unit", ["cm-1", " cm-1", " cm^-1", " cm⁻¹", " 1/cm", "cm^{-1}"])
def test_wave_numbers_in_each_spelling_of_their_unit(tmp_path, unit):
    path = saved(tmp_path, table([f"{name}{unit}" for name in GRID], label=LABELS))
    reader = open_arrays(path)
    np.testing.assert_allclose(reader.wave_angstrom()[[0, -1]], [1e8 / 4000.5, 1e8 / 4030.5])
    check_flux(reader)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([f"X{name}" for name in GRID], "are not named by numbers alone, such as 400.5 or 400.5cm-1"),
        ([*GRID[:-2], GRID[-1], GRID[-2]], "are not named by numbers that rise or fall"),
    ],
)
def test_why_names_are_no_axis_is_said(tmp_path, names, reason):
    with pytest.raises(UserError, match=reason):
        open_arrays(saved(tmp_path, table(names, label=LABELS)), wave_unit="cm-1").wave_angstrom()


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_the_pack_keeps_the_axis_and_its_unit(tmp_path, suffix):
    if suffix == "npz":
        path = str(tmp_path / "survey.npz")
        np.savez(path, flux=FLUX, label=LABELS, wave=np.array(GRID, float))
    else:
        path = saved(tmp_path, table(GRID, label=LABELS), suffix)
    for test_path in (None, path):
        typed = readers.typed(
            {"name": "arrays", "path": path, "test_path": test_path, "wave_unit": "nm", "num_workers": 1}
        )
        survey = open_or_pack(readers.build(typed), typed, tmp_path / "cache", progress=False)
        assert survey.wave_unit == "nm"
        np.testing.assert_allclose(survey.wave_angstrom[[0, -1]], [40005, 40305])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("first", [-8, -24], ids=["fewer below 0", "more below 0"])
def test_names_on_both_sides_of_0_are_all_pixels(tmp_path, caplog, suffix, first):
    path = saved(tmp_path, table([str(first + 2 * i) for i in range(LENGTH)], label=LABELS), suffix)
    with caplog.at_level(logging.INFO):
        check_flux(open_arrays(path))
    assert "other columns" not in caplog.text
    with pytest.raises(UserError, match=r"wave_unit=cm-1 has no wavelengths: .* wavelengths must be above 0"):
        open_arrays(path, wave_unit="cm-1").wave_angstrom()


def test_names_with_exponents(tmp_path):
    path = saved(tmp_path, table([f"{float(name):.4e}" for name in GRID], label=LABELS))
    reader = open_arrays(path, wave_unit="nm")
    np.testing.assert_allclose(reader.wave_angstrom()[[0, -1]], [40005, 40305])
    check_flux(reader)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("form", "is_packed_again"),
    [("p{:.0f}", False), ("{:.1f} cm^-1", False), ("-{:.1f}", True), ("{:.4e}", True), ("{:.1f} cm⁻¹", True)],
)
def test_tables_whose_pixels_are_more_than_0_1_knew_are_packed_again(tmp_path, suffix, form, is_packed_again):
    path = saved(tmp_path, table([form.format(float(name)) for name in GRID], label=LABELS), suffix)
    assert (open_arrays(path).fingerprint() != file_stamp(path)) == is_packed_again


def test_numbers_of_no_unit_are_no_axis_and_said(tmp_path, caplog):
    assert open_arrays(saved(tmp_path, table(GRID, label=LABELS))).wave_angstrom() is None
    assert "look like wavelengths: data.wave_unit=angstrom|nm|um|m|cm-1 makes them the axis" in caplog.text


def test_a_unit_without_an_axis_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"data\.wave_unit=nm has no wavelengths"):
        open_arrays(saved(tmp_path, table(label=LABELS)), wave_unit="nm").wave_angstrom()
