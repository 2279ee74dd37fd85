"""A pack that is not what was packed is packed again, or refused in a sentence; it never trains."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toy_reader import ToyReader, config, toy_flux

from spectral.configs.data import readers
from spectral.configs.split import splits
from spectral.data.packing.pack import open_or_pack
from spectral.data.packing.parts import PartJob, part_path
from spectral.data.splits.split import assign_split
from spectral.errors import UserError
from spectral.survey import Survey

Damage = Callable[[Path], None]


def in_cache(tmp_path: Path, reader: ToyReader | None = None) -> Survey:
    return open_or_pack(reader or ToyReader(with_ivar=True), config(), tmp_path / "cache", progress=False)


def folder_of(survey: Survey) -> Path:
    assert survey.folder is not None
    return survey.folder


def zeros(folder: Path) -> None:
    flux = np.load(folder / "flux.npy")
    np.save(folder / "flux.npy", np.zeros_like(flux))


def cut(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:-40])

    return damage


def emptied(name: str) -> Damage:
    return lambda folder: (folder / name).write_bytes(b"")


def gone(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def rolled_labels(folder: Path) -> None:
    catalog = pd.read_parquet(folder / "catalog.parquet")
    catalog["class_index"] = np.roll(catalog["class_index"], 1)
    catalog.to_parquet(folder / "catalog.parquet")


def shorter_catalog(folder: Path) -> None:
    pd.read_parquet(folder / "catalog.parquet").iloc[:-3].to_parquet(folder / "catalog.parquet")


def about(**changes: Any) -> Damage:
    def damage(folder: Path) -> None:
        content = json.loads((folder / "survey.json").read_text())
        (folder / "survey.json").write_text(json.dumps({**content, **changes}))

    return damage


def text(content: str) -> Damage:
    return lambda folder: (folder / "survey.json").write_text(content) and None


DAMAGES: dict[str, Damage] = {
    "flux of zeros": zeros,
    "flux cut short": cut("flux.npy"),
    "flux empty": emptied("flux.npy"),
    "flux gone": gone("flux.npy"),
    "mask gone": gone("mask.npy"),
    "ivar cut short": cut("ivar.npy"),
    "labels rolled": rolled_labels,
    "catalog shorter": shorter_catalog,
    "catalog empty": emptied("catalog.parquet"),
    "half of survey.json": cut("survey.json"),
    "survey.json empty": text(""),
    "survey.json a list": text("[1]"),
    "survey.json nested": text("[" * 100_000),
    "survey.json of bytes": lambda folder: (folder / "survey.json").write_bytes(b"\xff\xfe") and None,
    "survey.json without names": about(class_names=None),
    "names of numbers": about(class_names=[1, 2]),
    "wavelengths of text": about(wave_angstrom=["a"]),
    "wavelengths of another length": about(wave_angstrom=[1.0, 2.0]),
    "too few class names": about(class_names=["star"]),
    "files mistyped": about(files={"flux.npy": 3}),
    "plan mistyped": about(plan=[]),
    "num_spectra mistyped": about(num_spectra="40"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_pack_is_packed_again_or_refused(
    tmp_path: Path, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    whole = in_cache(tmp_path)
    damage(folder_of(whole))
    with pytest.raises(UserError, match=r"^The pack .* is damaged: .*; pack the survey again\.$") as caught:
        readers.build(readers.typed({"name": "packed", "folder": str(whole.folder)}))
    assert "\n" not in str(caught.value)
    again = in_cache(tmp_path)
    assert again.folder == whole.folder and again.fingerprint == whole.fingerprint
    np.testing.assert_array_equal(again.flux[7], toy_flux(7, 1, 12))
    assert "Packing it again." in caplog.text


def test_a_touched_file_of_the_same_content_is_accepted_and_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(in_cache(tmp_path))
    os.utime(folder / "flux.npy", ns=(1, 1))
    Survey.open(folder)
    monkeypatch.setattr("spectral.survey._digest", lambda path: pytest.fail(f"{path} is read again"))
    Survey.open(folder)


def test_a_pack_of_an_earlier_version_has_no_record_of_its_files(tmp_path: Path) -> None:
    folder = folder_of(in_cache(tmp_path))
    content = json.loads((folder / "survey.json").read_text())
    for name in ("files", "wave_unit", "num_pixels_without_ivar", "row_numbers_as_ids"):
        del content[name]
    (folder / "survey.json").write_text(json.dumps(content))
    zeros(folder)
    assert (Survey.open(folder).flux == 0).all()


@pytest.mark.parametrize("content", [b"", b"no table", None], ids=["empty", "text", "another table"])
def test_a_damaged_split_file_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    survey = in_cache(tmp_path)
    split = splits.typed("stratified")
    assign_split(survey.catalog, split, survey.folder)
    (table,) = folder_of(survey).glob("splits/*.parquet")
    if content is None:
        pd.DataFrame({"id": [1, 2], "part": ["train", None]}).to_parquet(table)
    else:
        table.write_bytes(content)
    with pytest.raises(UserError, match="is no saved split: delete it, and the split is made again"):
        assign_split(survey.catalog, split, survey.folder)


def test_a_damaged_part_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = PartJob.make

    def half(job: PartJob, span: tuple[int, int], ids: list[str]) -> tuple[int, int]:
        made = make(job, span, ids)
        part_path(job.folder, span).write_bytes(b"PK")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(PartJob, "make", half)
        with pytest.raises(UserError, match="is damaged and was removed: the same command makes it again"):
            in_cache(tmp_path)
    for path in (tmp_path / "cache").rglob("rows-*.npz"):
        path.unlink()
    assert len(in_cache(tmp_path)) == 40


class TestRowNumbersAsIds:
    """Rows without ids: a saved split is kept as long as they are the same spectra."""

    FLUX = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    LABELS = np.array(["a", "b", "c"] * 20)

    def opened(self, folder: Path, rows: Any, **columns: Any) -> tuple[Survey, pd.Series]:
        np.savez(folder / "survey.npz", flux=self.FLUX[rows], label=self.LABELS[rows], **columns)
        typed = readers.typed({"name": "arrays", "path": str(folder / "survey.npz"), "num_workers": 1})
        survey = open_or_pack(readers.build(typed), typed, folder / "cache", progress=False)
        return survey, assign_split(survey.catalog, splits.typed("stratified"), survey.folder)

    def test_appended_rows_leave_the_split_as_it_is(self, tmp_path: Path) -> None:
        _, before = self.opened(tmp_path, np.arange(45))
        _, after = self.opened(tmp_path, np.arange(60))
        assert after[:45].tolist() == before.tolist()

    def test_other_rows_are_split_again(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        survey, before = self.opened(tmp_path, np.arange(45))
        reordered = np.random.default_rng(1).permutation(60)
        _, after = self.opened(tmp_path, reordered)
        (tmp_path / "new").mkdir()
        _, fresh = self.opened(tmp_path / "new", reordered)
        assert after.tolist() == fresh.tolist() and after[:45].tolist() != before.tolist()
        assert f"The spectra of {survey.folder} have no ids of their own" in caplog.text

    def test_own_ids_keep_the_split_of_recalibrated_spectra(self, tmp_path: Path) -> None:
        ids = np.array([f"s{i}" for i in range(60)])
        _, before = self.opened(tmp_path, np.arange(60), id=ids)
        _, after = self.opened(tmp_path, np.arange(60)[::-1], id=ids[::-1])
        assert after[::-1].tolist() == before.tolist()

    def test_own_ids_keep_the_split_of_a_pack_whose_survey_json_is_damaged(self, tmp_path: Path) -> None:
        ids = np.array([f"s{i}" for i in range(60)])
        survey, before = self.opened(tmp_path, np.arange(45), id=ids[:45])
        (folder_of(survey) / "survey.json").write_text("{")
        _, after = self.opened(tmp_path, np.arange(60), id=ids)
        assert after[:45].tolist() == before.tolist()
