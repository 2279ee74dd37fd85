"""python -m spectral.pack, and runs on what it made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reader_cases.case import made_spectra
from reader_cases.two_column import TwoColumnCase
from small_runs import OVERRIDES, arrays, composed, result, rows, run

from spectral import pack
from spectral.errors import UserError
from spectral.survey import Survey

Overrides = Callable[..., list[str]]


def pack_command(*overrides: str) -> None:
    """The command's main function, below Hydra's decorator and the one that ends the process."""
    pack.main.__wrapped__.__wrapped__(composed(overrides, "pack"))


@pytest.mark.parametrize("reader", ["arrays", pytest.param("tianchi", marks=pytest.mark.slow)])
def test_a_run_on_a_pack_equals_a_run_on_its_source(reader: str, survey_file: Path, tmp_path: Path) -> None:
    source = ["data=arrays", f"data.path={survey_file}", "data.num_workers=1"]
    if reader == "tianchi":
        source = ["data=tianchi", *write_contest(tmp_path / "contest"), "data.num_workers=1"]
    pack_command(*source, f"out={tmp_path / 'pack'}")
    run([*source, f"cache_dir={tmp_path / 'cache'}", f"run_dir={tmp_path / 'direct'}", *OVERRIDES])
    run(["data=packed", f"data.folder={tmp_path / 'pack'}", f"run_dir={tmp_path / 'packed'}", *OVERRIDES])
    assert rows(tmp_path / "direct") == rows(tmp_path / "packed")
    direct, packed = result(tmp_path / "direct"), result(tmp_path / "packed")
    assert direct["survey"].pop("folder") != packed["survey"].pop("folder")
    assert direct == packed


def write_contest(folder: Path) -> tuple[str, str]:
    """The small survey as an index and one text file per spectrum."""
    folder.mkdir()
    content = arrays()
    for name, flux in zip(content["id"], content["flux"], strict=True):
        (folder / f"{name}.txt").write_text(",".join(f"{value:.9g}" for value in flux))
    lines = [f"{name},{label}" for name, label in zip(content["id"], content["label"], strict=True)]
    (folder / "index.csv").write_text("\n".join(["id,type", *lines]) + "\n")
    return f"data.index={folder / 'index.csv'}", f"data.folder={folder}"


def test_the_command_reports_what_was_packed_and_how_to_use_it(
    survey_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = arrays()
    content["flux"][7, 3] = np.nan
    np.savez(tmp_path / "with nan.npz", **content)
    out = tmp_path / "a pack"
    pack_command("data=arrays", f"data.path='{tmp_path}/with nan.npz'", "data.nan=skip", f"out='{out}'")
    shown = capsys.readouterr().out
    assert "119 spectra of 96 points, classes star, galaxy, qso" in shown
    assert "skipped 1:" in shown
    assert f"python run.py data=packed 'data.folder={out}'" in shown
    assert len(Survey.open(out)) == 119


def test_the_list_of_a_surveys_files_is_kept_in_the_cache(tmp_path: Path) -> None:
    TwoColumnCase().write(tmp_path, made_spectra(4, ragged=True))
    grid = "data.grid={kind: log, start_angstrom: 4000, stop_angstrom: 4040, step: 0.0001}"
    data = ("data=two_column", f"data.folder={tmp_path / 'spectra'}", "data.columns=[wave,flux,ivar]", grid)
    pack_command(*data, "data.num_workers=1", f"out={tmp_path / 'pack'}", f"cache_dir={tmp_path / 'cache'}")
    assert len([*(tmp_path / "cache" / "manifests").glob("two_column-*.parquet")]) == 1


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((), r"out=\.\.\. is missing: python -m spectral\.pack"),
        (("out=x",), r"data=\.\.\. is missing"),
        (("out=x", "data=arrays", "data.path=no.npz"), r"data\.path=no\.npz is not a file"),
        (("out=x", "data=arrays", "data.nan=ignore"), r"data\.nan=ignore is not known: .*error, mask, skip"),
        (("out=x", "+to=y"), "to is not a known key"),
    ],
)
def test_wrong_options_end_in_one_sentence(
    overrides: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=sentence):
        pack_command(*overrides)
    assert not list(tmp_path.iterdir())


def test_a_pack_is_not_packed_again(pack_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="data=packed is packed already"):
        pack_command("data=packed", f"data.folder={pack_folder}", f"out={tmp_path / 'x'}")


def test_a_run_does_not_write_to_the_pack_of_another_survey(
    pack_folder: Path, small: Overrides, tmp_path: Path
) -> None:
    before: dict[str, Any] = {path.name: path.read_bytes() for path in pack_folder.glob("*.*") if path.is_file()}
    run(small())
    assert before == {path.name: path.read_bytes() for path in pack_folder.glob("*.*") if path.is_file()}
