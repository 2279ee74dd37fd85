"""What every reader keeps to (spectral/data/readers/contract.py). A new reader adds its cases to CASES."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from reader_cases import desi, lamost, multimodal_universe, sdss, two_column, users_own
from reader_cases.case import MadeSpectrum, ReaderCase, made_spectra

from spectral.data.readers.contract import Chunk, Reader

READERS = (users_own, lamost, sdss, desi, multimodal_universe, two_column)
CASES = [case for reader in READERS for case in reader.CASES]
NUM, DAMAGED = 6, 3


# Cases of a reader that differ from another one of its cases in how its files are kept alone.
SLOW_CASES = ("sdss-spec-lite", "lamost-image-gzip")


@pytest.fixture(
    params=[
        pytest.param(case, id=case.name, marks=pytest.mark.slow if case.name in SLOW_CASES else ()) for case in CASES
    ],
    scope="module",
)
def case(request: pytest.FixtureRequest) -> ReaderCase:
    return request.param


@pytest.fixture(scope="module")
def spectra(case: ReaderCase) -> list[MadeSpectrum]:
    return made_spectra(NUM, case.ragged)


@pytest.fixture(scope="module")
def source(case: ReaderCase, spectra: list[MadeSpectrum], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written once; tests that change it take `own_source`."""
    folder = tmp_path_factory.mktemp(case.name)
    case.write(folder, spectra)
    return folder


@pytest.fixture
def own_source(source: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(source, tmp_path / "own", ignore=shutil.ignore_patterns("cache")))


@pytest.fixture
def reader(case: ReaderCase, source: Path) -> Reader:
    reader = case.open(source)
    reader.catalog()
    return reader


def same_chunks(one: Chunk, other: Chunk) -> None:
    assert one.problems == other.problems
    for name in ("flux", "ivar", "mask", "wave_angstrom"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine is None) == (theirs is None), name
        for a, b in zip(mine or [], theirs or [], strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_array_equal(a, b)


def test_the_catalog_has_ids_and_labels_as_text_in_reading_order(reader, case, spectra):
    catalog = reader.catalog()
    assert len(catalog) == NUM and catalog["id"].is_unique
    assert all(isinstance(value, str) for name in ("id", "label") for value in catalog[name])
    if case.made and case.made_ids:
        assert catalog["id"].tolist() == [spectrum.id for spectrum in spectra]
    if case.made:
        assert catalog["label"].tolist() == [spectrum.label for spectrum in spectra]
    if case.made and case.has_redshift:
        assert catalog["redshift"].tolist() == [spectrum.redshift for spectrum in spectra]


def test_spectra_come_in_the_order_asked_for_as_they_were_written(reader, case, spectra):
    rows = [4, 2, 5, 2, 0]
    chunk = reader.read(np.array(rows))
    assert not chunk.problems and len(chunk.flux) == len(rows)
    for position, row in enumerate(rows):
        flux = chunk.flux[position]
        assert flux is not None and flux.dtype == np.float32 and flux.dtype.isnative and flux.ndim == 2
        if case.made:
            np.testing.assert_array_equal(flux, spectra[row].flux[None])
        if case.has_ivar and case.made:
            assert chunk.ivar is not None
            np.testing.assert_array_equal(chunk.ivar[position], spectra[row].ivar[None])
        if case.has_mask:
            assert chunk.mask is not None
            np.testing.assert_array_equal(chunk.mask[position], spectra[row].bad)
        if case.has_own_wave:
            assert chunk.wave_angstrom is not None
            np.testing.assert_allclose(chunk.wave_angstrom[position], spectra[row].wave, rtol=case.wave_rtol)


def test_wavelengths_are_shared_or_each_spectrums_own(reader, case, spectra):
    reader.catalog()
    assert bool(getattr(reader, "wave_per_row", False)) == case.has_own_wave
    chunk, shared = reader.read(np.arange(NUM)), reader.wave_angstrom()
    assert (chunk.wave_angstrom is not None) == case.has_own_wave
    if shared is not None and case.made:
        np.testing.assert_allclose(shared, spectra[0].wave, rtol=case.wave_rtol)


def test_rows_read_alone_are_as_rows_read_together(reader):
    together = reader.read(np.arange(NUM))
    for row in range(NUM):
        alone = reader.read(np.array([row]))
        pieces = {
            name: None if getattr(together, name) is None else getattr(together, name)[row : row + 1]
            for name in ("flux", "ivar", "mask", "wave_angstrom")
        }
        same_chunks(alone, Chunk(**pieces))


def test_no_rows_are_an_empty_chunk(reader):
    chunk = reader.read(np.arange(0))
    assert chunk.flux == [] and not chunk.problems


def test_a_reader_in_another_process_reads_the_same(reader):
    rows = np.array([3, 1])
    same_chunks(pickle.loads(pickle.dumps(reader)).read(rows), reader.read(rows))


def test_a_pickled_reader_is_small_and_does_not_grow_with_the_survey(case, tmp_path):
    sizes = []
    for num in (3, 30):
        folder = tmp_path / f"{num:02d}"
        folder.mkdir()
        case.write(folder, made_spectra(num, case.ragged))
        reader = case.open(folder)
        reader.catalog()
        reader.read(np.arange(num))
        sizes.append(len(pickle.dumps(reader)))
    assert sizes[1] - sizes[0] < 30 and sizes[1] < 5000


def test_a_damaged_spectrum_is_a_reported_row_and_the_others_are_read(case, reader, own_source):
    if not case.damages_rows:
        pytest.skip("a single spectrum of this source cannot be damaged")
    before = reader.read(np.arange(NUM))
    case.damage(own_source, DAMAGED)
    damaged = case.open(own_source)
    assert len(damaged.catalog()) == NUM
    chunk = damaged.read(np.arange(NUM))
    assert list(chunk.problems) == [DAMAGED] and chunk.flux[DAMAGED] is None
    assert chunk.problems[DAMAGED] and "\n" not in chunk.problems[DAMAGED]
    for row in set(range(NUM)) - {DAMAGED}:
        np.testing.assert_array_equal(chunk.flux[row], before.flux[row])


def test_a_spectrum_that_is_damaged_after_the_catalog_is_reported_too(case, own_source):
    if not case.damages_rows:
        pytest.skip("a single spectrum of this source cannot be damaged")
    reader = case.open(own_source)
    reader.catalog()
    case.damage(own_source, DAMAGED)
    chunk = reader.read(np.array([DAMAGED - 1, DAMAGED, DAMAGED + 1]))
    assert list(chunk.problems) == [1]
    assert [flux is None for flux in chunk.flux] == [False, True, False]


def test_fingerprint_and_catalog_change_with_the_source_alone(case, own_source):
    reader = case.open(own_source)
    first = reader.fingerprint()
    reader.catalog()
    assert case.open(own_source).fingerprint() == first
    case.write(own_source, made_spectra(NUM + 1, case.ragged, seed=1))
    changed = case.open(own_source)
    assert changed.fingerprint() != first
    assert len(changed.catalog()) == NUM + 1
    assert changed.read(np.array([NUM])).flux[0] is not None


def test_settings_are_json_values_and_name_the_source(reader, case, source):
    settings = reader.settings()
    assert json.loads(json.dumps(settings)) == settings
    assert not case.made or str(source) in json.dumps(settings)
