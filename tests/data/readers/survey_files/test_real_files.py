"""Files as LAMOST and SDSS released them: flux as astropy reads it, and lines where the header's redshift puts them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from numpy.typing import NDArray
from real_files import real_files

from spectral.configs.data import readers
from spectral.configs.survey_files import LamostConfig, SdssConfig
from spectral.data.packing.gridded import on_grid
from spectral.data.packing.pack import open_or_pack
from spectral.data.readers.contract import Chunk

# In vacuum, Angstrom, as SDSS lists them.
H_ALPHA, H_BETA, CA_K, O_III = 6564.61, 4862.69, 3934.78, 5008.24
PIXEL = 1e-4  # of both surveys, in log10 of Angstrom
WINDOW = 12  # pixels to either side in which a line is looked for


SURVEYS = {"lamost_fits": LamostConfig, "sdss_fits": SdssConfig}


@pytest.fixture(scope="module", params=SURVEYS)
def survey(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, pd.DataFrame, Chunk]:
    folder, kind = request.param, SURVEYS[request.param]
    files = real_files(folder)
    config = kind(folder=str(files[0].parent), on_bad="skip", num_workers=1)
    reader = readers.build(config, cache_dir=tmp_path_factory.mktemp("cache"))
    catalog = reader.catalog()
    chunk = reader.read(np.arange(len(catalog)))
    assert not chunk.problems and len(catalog) == len(files)
    return (config, reader, files[0].parent), catalog, chunk


def test_flux_ivar_and_flags_are_those_of_astropy_to_the_last_bit(survey) -> None:
    (_, _, folder), catalog, chunk = survey
    for row, name in enumerate(catalog["file"]):
        with fits.open(folder / name) as hdus:
            if hdus[0].data is not None:
                flux, ivar, flags = hdus[0].data[0], hdus[0].data[1], hdus[0].data[3].astype(int)
            else:
                flux, ivar, flags = (hdus[1].data[key] for key in ("flux", "ivar", "and_mask"))
                flags = flags & ((1 << 18) | (1 << 22) | (1 << 23) | (1 << 28))
            np.testing.assert_array_equal(chunk.flux[row][0], flux.astype(np.float32))
            np.testing.assert_array_equal(chunk.ivar[row][0], ivar.astype(np.float32))
            np.testing.assert_array_equal(chunk.mask[row], flags != 0)


def test_catalog_is_what_headers_and_tables_say(survey) -> None:
    (_, _, folder), catalog, _ = survey
    for _, row in catalog.iterrows():
        with fits.open(folder / row["file"]) as hdus:
            table = hdus[2].data[0] if len(hdus) > 2 else hdus[0].header
            assert row["label"] == str(table["CLASS"]).strip().lower()
            assert row["redshift"] == table["Z"] or (np.isnan(row["redshift"]) and table["Z"] == -9999)


def line_offset(wave: NDArray[np.float64], flux: NDArray[Any], line: float, absorbed: bool) -> float:
    """Pixels of PIXEL from where a line should be to where the flux has its extreme, by a parabola through it."""
    smooth = np.convolve(flux, np.ones(5) / 5, mode="same")
    where = int(np.abs(wave - line).argmin())
    window = smooth[where - WINDOW : where + WINDOW + 1] * (-1 if absorbed else 1)
    top = int(window.argmax())
    if not 0 < top < 2 * WINDOW:
        return float("inf")
    left, mid, right = window[top - 1 : top + 2]
    vertex = where + top - WINDOW + 0.5 * (left - right) / (left - 2 * mid + right)
    found = np.interp(vertex, np.arange(len(wave)), np.log10(wave))
    return float((found - np.log10(line)) / PIXEL)


def offsets(catalog: pd.DataFrame, spectra: list[tuple[Any, Any]], line: float, absorbed: bool) -> list[float]:
    """Of a line, in each spectrum that holds it; spectra are wavelengths and fluxes."""
    found = []
    for redshift, (wave, flux) in zip(catalog["redshift"], spectra, strict=True):
        at = line * (1 + redshift)
        if wave[WINDOW] < at < wave[-WINDOW - 1]:
            found.append(abs(line_offset(wave, flux, at, absorbed)))
    return found


def own_spectra(chunk: Chunk, rows: Any) -> list[tuple[Any, Any]]:
    return [(chunk.wave_angstrom[row], chunk.flux[row][0]) for row in rows]


def hot_stars(catalog: pd.DataFrame) -> pd.DataFrame:
    """In cooler ones other lines are deeper than these."""
    return catalog[(catalog["label"] == "star") & catalog["subclass"].str.match("[AFG]") & (catalog["snr"] > 20)]


@pytest.mark.parametrize("line", [H_ALPHA, H_BETA, CA_K])
def test_lines_of_stars_stand_where_the_redshift_puts_them_within_two_pixels(survey, line: float) -> None:
    _, catalog, chunk = survey
    stars = hot_stars(catalog)
    if not len(stars):
        pytest.skip("no hot stars in this survey's files")
    found = offsets(stars, own_spectra(chunk, stars.index), line, absorbed=True)
    assert len(found) == len(stars) and max(found) < 2


@pytest.mark.parametrize(("line", "quantile"), [(H_ALPHA, 1.0), (O_III, 0.5)])
def test_lines_of_quasars_stand_where_the_redshift_puts_them_within_two_pixels(
    survey, line: float, quantile: float
) -> None:
    """Each H-alpha; of [O III], which may be weak, half of them. H-beta is too broad in these to be told so well."""
    _, catalog, chunk = survey
    quasars = catalog[catalog["label"] == "qso"]
    if not len(quasars):
        pytest.skip("no quasars in this survey's files")
    found = offsets(quasars, own_spectra(chunk, quasars.index), line, absorbed=False)
    assert len(found) >= 3 and np.quantile(found, quantile) < 2


def test_packed_flux_is_the_files_own_where_the_grid_has_its_pixels(survey, tmp_path: Path) -> None:
    (config, reader, _), catalog, chunk = survey
    packed = open_or_pack(reader, config, tmp_path, progress=False)
    assert packed.mask is not None and packed.wave_angstrom is not None
    for row, id_ in enumerate(catalog["id"]):
        at = int(np.flatnonzero(packed.catalog["id"] == id_)[0])
        own_wave = chunk.wave_angstrom[row]
        pixel = np.rint(np.interp(packed.wave_angstrom, own_wave, np.arange(len(own_wave)))).astype(int)
        covered = ~packed.mask[at]
        assert covered.sum() > 2000
        np.testing.assert_array_equal(packed.flux[at, 0, covered], chunk.flux[row][0, pixel[covered]])


def test_lines_of_stars_stay_in_place_on_a_coarser_grid(survey) -> None:
    (config, reader, _), catalog, _ = survey
    stars = hot_stars(catalog)
    if not len(stars):
        pytest.skip("no hot stars in this survey's files")
    gridded = on_grid(reader, dataclasses.replace(config.grid, step=2 * PIXEL))
    chunk, wave = gridded.read(stars.index.to_numpy()), gridded.wave_angstrom()
    two_pixels = 2 * 2  # of PIXEL
    assert max(offsets(stars, [(wave, flux[0]) for flux in chunk.flux], H_ALPHA, absorbed=True)) < two_pixels
