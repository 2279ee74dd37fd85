"""The data of a prediction: from a reader or from a pack, on the grid of the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from toy_reader import ToyReader, config

from spectral.configs.data import GridConfig, PackedConfig
from spectral.configs.survey_files import LamostConfig
from spectral.data.packing.pack import pack
from spectral.data.readers.contract import Chunk
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.input_spec import InputSpec
from spectral.prediction import source as module
from spectral.prediction.source import Source, open_source

WAVE = np.linspace(4000.0, 7000.0, 12)


def classifier(wave: Any = None, ivar_masks: bool | None = None) -> Classifier:
    return Classifier(None, InputSpec(1, None, [], "interpolate", ivar_masks=ivar_masks), ["star", "qso"], 12, wave)


def opened(
    reader: Any, monkeypatch: pytest.MonkeyPatch, wave: Any = None, ivar_masks: bool | None = None, **options: object
) -> Source:
    monkeypatch.setattr(module.readers, "build", lambda *_, **__: reader)
    return open_source(config(**options), classifier(wave, ivar_masks), "run=r", Path("nowhere"), Path("x.csv"))


def catalog_of(source: Source) -> pd.DataFrame:
    return pd.concat([table.to_pandas() for table in source.tables()], ignore_index=True)


@dataclass
class OwnWaves(ToyReader):
    """Spectra of 30 pixels with wavelengths of their own, flux 1 + wavelength / 1000."""

    wave_per_row = True

    def read(self, rows: np.ndarray) -> Chunk:
        waves = [np.linspace(3900.0 - row, 7100.0 + row, 30) for row in rows.tolist()]
        return Chunk(flux=[(1 + w[None] / 1000).astype(np.float32) for w in waves], wave_angstrom=waves)


def test_spectra_with_wavelengths_of_their_own_are_brought_to_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line stays a line, to half of its rise of 0.11 over a pixel of the source, within which flux is constant."""
    source = opened(OwnWaves(), monkeypatch, WAVE)
    assert source.blocks.reads_slowly
    np.testing.assert_allclose(cast(Any, source.blocks.wave_angstrom), WAVE)
    block = source.blocks.read((0, 5))
    assert block.flux is not None and block.flux.shape == (5, 1, 12)
    np.testing.assert_allclose(block.flux[:, 0, 1:-1], np.tile(1 + WAVE[1:-1] / 1000, (5, 1)), rtol=0, atol=0.055)


def test_a_grid_that_is_given_has_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = GridConfig("linear", 5000.0, 6000.0, 100.0)
    source = opened(OwnWaves(), monkeypatch, WAVE, grid=grid)
    assert source.blocks.length == 11 and source.blocks.wave_angstrom is not None
    assert source.blocks.wave_angstrom[0] == 5000.0


def test_the_grid_that_a_survey_has_by_default_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for training: 3,860 pixels of LAMOST would not fit a run on others."""
    monkeypatch.setattr(module.readers, "build", lambda *_, **__: OwnWaves())
    data = LamostConfig(folder="somewhere", num_workers=1)
    source = open_source(data, classifier(WAVE), "run=r", Path("nowhere"), Path("x.csv"))
    np.testing.assert_allclose(cast(Any, source.blocks.wave_angstrom), WAVE)
    data.grid.stop_angstrom = 7000.0
    source = open_source(data, classifier(WAVE), "run=r", Path("nowhere"), Path("x.csv"))
    assert source.blocks.length == 2768  # whole multiples of 0.0001 from log10(3700) to log10(7000)


def test_without_a_grid_anywhere_they_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"data\.grid\.kind=native is not allowed for this data"):
        opened(OwnWaves(), monkeypatch)
    with pytest.raises(UserError, match="run=r has wavelengths that neither rise nor fall"):
        opened(OwnWaves(), monkeypatch, np.roll(WAVE, 1))


def test_spectra_are_resampled_to_wavelengths_of_a_run_that_fall(monkeypatch: pytest.MonkeyPatch) -> None:
    falling, rising = (opened(OwnWaves(), monkeypatch, wave).blocks for wave in (WAVE[::-1], WAVE))
    np.testing.assert_array_equal(cast(Any, falling.wave_angstrom), WAVE[::-1])
    np.testing.assert_allclose(cast(Any, falling.read((0, 5)).flux), cast(Any, rising.read((0, 5)).flux)[..., ::-1])


def test_a_pack_gives_what_its_reader_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reader = ToyReader(with_ivar=True, bad_pixels={3: 1}, wave=12)
    pack(reader, config(), tmp_path / "pack", progress=False)
    packed = open_source(PackedConfig(folder=str(tmp_path / "pack")), classifier(), "run=r", tmp_path, Path("x.csv"))
    read = opened(reader, monkeypatch)
    for span in [(0, 7), (7, 40)]:
        a, b = packed.blocks.read(span), read.blocks.read(span)
        for name in ("good", "flux", "ivar", "mask"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)
    columns = ["id", "label", "snr"]
    pd.testing.assert_frame_equal(catalog_of(packed)[columns], catalog_of(read)[columns])
    assert packed.blocks.has_ivar and read.blocks.has_ivar
    np.testing.assert_array_equal(cast(Any, packed.blocks.wave_angstrom), cast(Any, read.blocks.wave_angstrom))


def test_columns_that_a_pack_adds_are_kept_apart_as_in_a_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class OwnColumns(ToyReader):
        def catalog(self) -> pd.DataFrame:
            return super().catalog().assign(length=range(self.num), length_in_source="before", class_index=7)

    pack(OwnColumns(), config(), tmp_path / "pack", progress=False)
    packed = open_source(PackedConfig(folder=str(tmp_path / "pack")), classifier(), "run=r", tmp_path, Path("x.csv"))
    names = ["id", "length_in_source_in_source", "length_in_source", "class_index_in_source"]
    expected = catalog_of(packed)[names]
    pd.testing.assert_frame_equal(catalog_of(opened(OwnColumns(), monkeypatch))[names], expected)
    found = catalog_of(opened(OwnColumns(), monkeypatch, limit=12))
    assert "length" not in found and set(names) <= set(found)


@pytest.mark.parametrize("ivar_masks", [True, False, None])
def test_pixels_without_inverse_variance_are_masked_as_those_of_the_run(
    monkeypatch: pytest.MonkeyPatch, ivar_masks: bool | None
) -> None:
    blocks = opened(ToyReader(with_ivar=True), monkeypatch, ivar_masks=ivar_masks).blocks
    assert blocks.ivar_masks is (ivar_masks is not False) and blocks.settings["ivar_masks"] is blocks.ivar_masks
    assert (blocks.read((0, 7)).mask is None) == (ivar_masks is False)  # pixel 0 of each has none


def test_a_reader_that_gives_fewer_spectra_than_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class ShortReader(ToyReader):
        def read(self, rows: np.ndarray) -> Chunk:
            chunk = super().read(rows)
            return chunk if len(rows) == self.num else Chunk(chunk.flux[1:])

    blocks = opened(ShortReader(), monkeypatch).blocks
    with pytest.raises(ValueError, match=r"ShortReader\.read gives 6 elements of flux for 7 rows"):
        blocks.read((0, 7))


def test_a_catalog_made_row_by_row_is_never_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    class RowByRow(ToyReader):
        most = 0

        def num_rows(self) -> int:
            return self.num

        def catalog(self) -> pd.DataFrame:
            raise AssertionError("the whole catalog is asked for")

        def catalog_rows(self, rows: range) -> pd.DataFrame:
            RowByRow.most = max(RowByRow.most, len(rows))
            return pd.DataFrame({"id": [f"s{row}" for row in rows], "label": None})

    monkeypatch.setattr(module, "ROWS_PER_TABLE", 9)
    found = catalog_of(opened(RowByRow(), monkeypatch))
    assert found["id"].tolist() == [f"s{row}" for row in range(40)] and RowByRow.most == 9


def test_a_limit_takes_the_same_spectra_as_a_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packed = pack(ToyReader(), config(limit=12), tmp_path / "pack", progress=False)
    source = opened(ToyReader(), monkeypatch, limit=12)
    assert catalog_of(source)["id"].tolist() == packed.catalog["id"].tolist()
    np.testing.assert_array_equal(cast(Any, source.blocks.read((0, 12)).flux), packed.flux)


def test_padded_spectra_may_be_shorter_than_the_runs_but_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever most of them are."""
    blocks = opened(ToyReader(num=4, length=14, lengths={0: 5, 3: 12}), monkeypatch, ragged="pad").blocks
    block = blocks.read((0, 4))
    assert block.problems == dict.fromkeys((1, 2), "longer than the run's spectra: 14 pixels, not 12")
    assert blocks.length <= 12 and block.good.tolist() == [0, 3]
    assert block.mask is not None and block.mask.sum(axis=1).tolist() == [7, 0]
    with pytest.raises(UserError, match=r"None of 4 .*, the first because: longer than the run's spectra: 14 pixels"):
        opened(ToyReader(num=4, length=14), monkeypatch, ragged="pad")


def test_spectra_of_a_pack_that_are_longer_than_the_runs_have_no_class(tmp_path: Path) -> None:
    lengths = {0: 5, 1: 14, 2: 14, 3: 14}
    pack(ToyReader(num=8, lengths=lengths, with_ivar=True), config(ragged="pad"), tmp_path / "pack", progress=False)
    data = PackedConfig(folder=str(tmp_path / "pack"))
    blocks = open_source(data, classifier(), "run=r", tmp_path, Path("x.csv")).blocks
    first, second = blocks.read((0, 6)), blocks.read((1, 4))
    assert blocks.length == 12 and first.good.tolist() == [0, 4, 5] and second.flux is None
    assert first.problems == dict.fromkeys((1, 2, 3), "longer than the run's spectra: 14 pixels, not 12")
    assert first.flux is not None and first.ivar is not None and first.mask is not None
    assert first.flux.shape == first.ivar.shape == (3, 1, 12) and first.mask.sum(axis=1).tolist() == [8, 1, 1]
    np.testing.assert_array_equal(first.flux[1], ToyReader().flux(4))
    pack(ToyReader(num=8, length=14), config(), tmp_path / "longer", progress=False)
    data = PackedConfig(folder=str(tmp_path / "longer"))
    assert open_source(data, classifier(), "run=r", tmp_path, Path("x.csv")).blocks.length == 14


def test_data_without_spectra_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="holds no spectra"):
        opened(ToyReader(num=0), monkeypatch)


def test_parts_are_kept_apart_when_a_file_comes_back_that_could_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the data may mean other spectra then, and its source is the same."""
    prints = []
    for unread in ("", "-1", "-2", ""):
        reader = OwnWaves()
        monkeypatch.setattr(reader, "unread_files", unread, raising=False)
        prints.append(opened(reader, monkeypatch, WAVE).blocks.fingerprint)
    assert prints[0] == prints[3] == OwnWaves().fingerprint() and len({*prints}) == 3
