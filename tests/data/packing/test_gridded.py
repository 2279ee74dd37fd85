"""`data.grid`: spectra with wavelengths of their own in one pack."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from toy_reader import ToyReader, config

from spectral.configs.data import GridConfig
from spectral.data.packing.gridded import grid_angstrom, grid_of
from spectral.data.packing.pack import pack
from spectral.data.readers.contract import Chunk
from spectral.errors import UserError
from spectral.survey import Survey


@dataclass
class OwnWavesReader(ToyReader):
    """Row i has the flux of a line through all wavelengths, on a grid that begins i Angstrom later."""

    num: int = 5
    wave_per_row: bool = True

    def read(self, rows: np.ndarray) -> Chunk:
        waves = [np.arange(4000.0 + row, 4060.0 + row, 1.0) for row in rows.tolist()]
        return Chunk(flux=[(wave[None] - 4000).astype(np.float32) for wave in waves], wave_angstrom=waves)


def test_all_spectra_stand_on_one_grid_and_what_they_do_not_cover_is_masked(tmp_path: Path) -> None:
    grid = GridConfig("linear", 4001.0, 4080.0, 2.0)
    survey = pack(OwnWavesReader(), config(grid=grid), tmp_path / "pack", progress=False)
    assert survey.wave_angstrom is not None and survey.mask is not None
    np.testing.assert_allclose(survey.wave_angstrom, np.arange(4001.0, 4080.0, 2.0))
    for row in range(5):
        good = ~survey.mask[row]
        np.testing.assert_allclose(survey.flux[row, 0, good], survey.wave_angstrom[good] - 4000, rtol=1e-6)
        covered = (survey.wave_angstrom - 1 >= 3999.5 + row) & (survey.wave_angstrom + 1 <= 4059.5 + row)
        np.testing.assert_array_equal(good, covered)


def test_a_listed_grid_may_fall_as_wave_numbers_do(tmp_path: Path) -> None:
    wave = np.sort(1e8 / np.arange(24600.0, 25000.0, 8.0))
    rising, falling = (
        pack(
            OwnWavesReader(), config(grid=GridConfig("listed", wave_angstrom=[*grid])), tmp_path / name, progress=False
        )
        for name, grid in (("rising", wave), ("falling", wave[::-1]))
    )
    np.testing.assert_array_equal(falling.wave_angstrom, wave[::-1])
    np.testing.assert_array_equal(falling.flux, rising.flux[..., ::-1])
    np.testing.assert_array_equal(falling.mask, rising.mask[..., ::-1])


def test_a_logarithmic_grid_has_the_pixels_of_lamost_and_sdss() -> None:
    wave = grid_angstrom(GridConfig("log", 3700.0, 9100.0, 1e-4))
    assert wave[0] == pytest.approx(10**3.5683)  # COEFF0 = 3.5682 is 3699.99 Angstrom
    np.testing.assert_allclose(np.diff(np.log10(wave)), 1e-4, rtol=1e-6)
    assert wave[-1] <= 9100 < wave[-1] * 10**1e-4


@pytest.mark.parametrize(
    ("grid", "num"), [(("linear", 4000.0, 5000.0, 0.1), 10001), (("log", 1000.0, 10000.0, 0.001), 1001)]
)
def test_rounding_takes_no_pixel_from_the_end(grid: tuple[str, float, float, float], num: int) -> None:
    wave = grid_angstrom(GridConfig(*grid))
    assert len(wave) == num
    assert wave[[0, -1]] == pytest.approx([grid[1], grid[2]])


def test_another_grid_is_another_pack(tmp_path: Path) -> None:
    first = pack(OwnWavesReader(), config(grid=GridConfig("linear", 4001.0, 4080.0, 2.0)), tmp_path / "pack")
    second = pack(OwnWavesReader(), config(grid=GridConfig("linear", 4001.0, 4080.0, 3.0)), tmp_path / "pack")
    assert (first.length, second.length) == (40, 27)
    assert first.fingerprint != second.fingerprint


def test_spectra_outside_the_grid_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grid = GridConfig("linear", 4061.0, 4080.0, 1.0)
    with caplog.at_level(logging.WARNING):
        survey = pack(OwnWavesReader(), config(grid=grid, on_bad="skip"), tmp_path / "pack", progress=False)
    assert survey.skipped == {"outside the grid": 2}
    assert list(survey.catalog["id"]) == ["s2", "s3", "s4"]


def test_wavelengths_of_their_own_need_a_grid(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.grid\.kind=native is not allowed for this data"):
        pack(OwnWavesReader(), config(), tmp_path / "pack")


def test_a_grid_needs_wavelengths(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.grid needs wavelengths and this data has none"):
        pack(ToyReader(), config(grid=GridConfig("log")), tmp_path / "pack")


def test_shared_wavelengths_are_resampled_too(tmp_path: Path) -> None:
    survey: Survey = pack(
        ToyReader(wave=12, with_ivar=True), config(grid=GridConfig("linear", 4000.0, 7000.0, 500.0)), tmp_path / "pack"
    )
    assert survey.flux.shape == (40, 1, 7)
    assert survey.ivar is not None and survey.ivar.shape == (40, 1, 7)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (GridConfig("linear", 5000.0, 4000.0, 1.0), "data.grid.stop_angstrom=4000 must be above"),
        (GridConfig("linear", 4000.0, 4000.5, 1.0), "data.grid.step=1 makes 2 pixels"),
        (GridConfig("listed", wave_angstrom=[3.0, 2.0, 2.5]), "data.grid.wave_angstrom must rise or fall from pixel"),
        (GridConfig("listed", wave_angstrom=[3.0, 2.0, 0.0]), "data.grid.wave_angstrom must .* and be above 0"),
        (GridConfig("log", 4000.0, 9000.0, 1e-7), "data.grid.step=1e-07 makes 3,521,826 pixels"),
    ],
)
def test_a_grid_that_cannot_be_is_one_sentence(grid: GridConfig, message: str) -> None:
    with pytest.raises(UserError, match=message):
        config(grid=grid).check("data")


@pytest.mark.parametrize(
    ("wave", "kind"),
    [
        (np.linspace(3690.0, 9100.0, 2600), "linear"),
        (3600 + 0.8 * np.arange(7781), "linear"),
        (10 ** (1e-4 * np.arange(35683, 39542)), "log"),
        (np.float32(10 ** (1e-4 * np.arange(35683, 39542))).astype(np.float64), "log"),
        (10 ** (3.56825 + 1e-4 * np.arange(3000)), "listed"),  # no whole multiples of the step
        (4000 + np.arange(500) ** 1.1, "listed"),
        (np.array([5000.0, 5001.0]), "linear"),
    ],
)
def test_the_grid_of_wavelengths_has_their_pixels(wave: np.ndarray, kind: str) -> None:
    grid = grid_of(wave)
    assert grid.kind == kind
    grid.check("data.grid")
    found = grid_angstrom(grid)
    np.testing.assert_allclose(found, wave, rtol=0, atol=0.01 * np.diff(wave).min())
    assert grid_of(found) == grid  # so that a run on it has the same pack


@pytest.mark.parametrize("wave", [None, [4000.0], [4000.0, 4000.0], [4000.0, 3999.0, 3999.5], [-1.0, 4000.0]])
def test_a_listed_grid_rises_or_falls(wave: list[float] | None) -> None:
    with pytest.raises(UserError, match=r"^data\.grid\.wave_angstrom "):
        GridConfig("listed", wave_angstrom=wave).check("data.grid")
