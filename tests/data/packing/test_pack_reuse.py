"""When a pack is reused, made again, or left as it is; and what is read from it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_reader import ToyReader, config, packed, toy_flux

from spectral.configs import simulated as _simulated  # noqa: F401  (registers itself)
from spectral.configs.data import PackedConfig, readers
from spectral.configs.split import splits
from spectral.data.packing.pack import open_or_pack, pack
from spectral.data.packing.parts import missing_spans
from spectral.data.splits.split import assign_split
from spectral.errors import UserError
from spectral.survey import Survey


class TestReuse:
    def test_an_unchanged_source_is_not_read_again(self, tmp_path: Path) -> None:
        reader = ToyReader(read_log=str(tmp_path / "log"))
        first = open_or_pack(reader, config(), tmp_path / "cache", progress=False)
        (tmp_path / "log").unlink()
        again = open_or_pack(reader, config(), tmp_path / "cache", progress=False)
        assert again.folder == first.folder and not (tmp_path / "log").exists()

    def test_options_that_change_the_pack_lead_to_another_folder(self, tmp_path: Path) -> None:
        options = [{}, {"dtype": "float16"}, {"nan": "mask"}, {"class_names": ["galaxy", "star"]}]
        folders = {open_or_pack(ToyReader(), config(**o), tmp_path, progress=False).folder for o in options}
        assert len(folders) == len(options)
        other = open_or_pack(ToyReader(), config(rows_per_part=3, num_workers=2), tmp_path, progress=False)
        assert other.folder in folders

    def test_a_changed_source_is_packed_again_while_a_job_still_reads_the_old_pack(self, tmp_path: Path) -> None:
        old = open_or_pack(ToyReader(num=40), config(), tmp_path, progress=False)
        split = splits.typed("stratified")
        before = assign_split(old.catalog, split, old.folder)
        new = open_or_pack(ToyReader(num=60, scale=2.0), config(), tmp_path, progress=False)
        assert new.folder == old.folder and len(new) == 60 and new.fingerprint != old.fingerprint
        np.testing.assert_array_equal(old.flux, [toy_flux(row, 1, 12) for row in range(40)])
        after = assign_split(new.catalog, split, new.folder)
        assert after[:40].tolist() == before.tolist() and (after[40:] != "").sum() == 15

    def test_the_fingerprint_depends_on_the_content_alone(self, tmp_path: Path) -> None:
        prints = [
            pack(reader, config(), tmp_path / str(i), progress=False).fingerprint
            for i, reader in enumerate(
                [ToyReader(), ToyReader(version="2"), ToyReader(scale=2), ToyReader(labels=("star",))]
            )
        ]
        assert prints[0] == prints[1] and len(set(prints)) == 3

    def test_the_fingerprint_of_earlier_versions_is_known_if_no_pixel_is_masked(self, tmp_path: Path) -> None:
        without = pack(ToyReader(), config(), tmp_path / "1", progress=False)
        with_wave = pack(ToyReader(wave=12), config(), tmp_path / "2", progress=False)
        masked = pack(ToyReader(with_ivar=True), config(), tmp_path / "3", progress=False)
        assert with_wave.is_of(without.fingerprint) and not without.is_of(with_wave.fingerprint)
        assert masked.is_of(masked.fingerprint) and masked.former_fingerprint is None

    def test_the_fingerprint_sees_the_wavelengths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = pack(ToyReader(wave=12), config(), tmp_path / "1", progress=False)
        monkeypatch.setattr(ToyReader, "wave_angstrom", lambda self: np.linspace(4000.0, 7001.0, 12))
        assert pack(ToyReader(wave=12), config(), tmp_path / "2", progress=False).fingerprint != first.fingerprint

    def test_a_folder_with_other_things_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "pack").mkdir()
        (tmp_path / "pack" / "thesis.tex").write_text("x")
        with pytest.raises(UserError, match="is not empty and holds no packed survey"):
            packed(tmp_path, ToyReader())
        assert (tmp_path / "pack" / "thesis.tex").exists()

    def test_a_file_in_its_place_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "pack").write_text("x")
        with pytest.raises(UserError, match="pack is a file, and a pack is a folder: choose another name"):
            packed(tmp_path, ToyReader())
        assert (tmp_path / "pack").read_text() == "x"

    def test_a_pack_may_be_written_to_an_empty_folder(self, tmp_path: Path) -> None:
        (tmp_path / "pack").mkdir()
        assert len(packed(tmp_path, ToyReader())) == 40


class TestPackedReader:
    def test_a_moved_pack_opens(self, tmp_path: Path) -> None:
        survey = packed(tmp_path, ToyReader())
        shutil.move(tmp_path / "pack", tmp_path / "moved")
        opened = readers.build(readers.typed({"name": "packed", "folder": str(tmp_path / "moved")}))
        assert isinstance(opened, Survey) and opened.fingerprint == survey.fingerprint
        assert open_or_pack(opened, PackedConfig(), tmp_path / "unused") is opened

    def test_a_folder_that_is_not_a_pack_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="is not a packed survey"):
            readers.build(readers.typed({"name": "packed", "folder": str(tmp_path)}))
        with pytest.raises(UserError, match=r"data.folder is not set"):
            readers.build(readers.typed("packed"))


@settings(deadline=None)
@given(
    num_rows=st.integers(1, 200),
    rows_per_part=st.integers(1, 50),
    cuts=st.lists(st.integers(0, 200), max_size=8, unique=True),
)
def test_missing_and_finished_spans_cover_every_row_once(num_rows: int, rows_per_part: int, cuts: list[int]) -> None:
    inner = sorted(cut for cut in cuts if cut <= num_rows)
    finished = list(zip(inner[::2], inner[1::2], strict=False))
    missing = missing_spans(finished, (0, num_rows), rows_per_part)
    halves = (0, num_rows // 2), (num_rows // 2, num_rows)
    of_halves = [span for half in halves for span in missing_spans(finished, half, rows_per_part)]
    assert [row for span in of_halves for row in range(*span)] == [row for span in missing for row in range(*span)]
    rows = [row for span in [*finished, *missing] for row in range(*span)]
    assert sorted(rows) == list(range(num_rows))
    assert all(0 < stop - start <= rows_per_part for start, stop in missing)


def test_a_pack_of_another_survey_is_not_replaced(tmp_path: Path) -> None:
    pack_simulated(tmp_path / "pack", num_spectra=8)
    with pytest.raises(UserError, match=r"packed with num_spectra=8, this one has num_spectra=9; give another folder"):
        pack_simulated(tmp_path / "pack", num_spectra=9)
    with pytest.raises(UserError, match=r"packed with data=simulated, this one has data=toy; give another folder"):
        pack(ToyReader(), config(), tmp_path / "pack", progress=False)
    assert len(Survey.open(tmp_path / "pack")) == 8


def pack_simulated(folder: Path, **options: object) -> Survey:
    config = readers.typed({"name": "simulated", "num_workers": 1, **options})
    return pack(readers.build(config), config, folder, progress=False)
