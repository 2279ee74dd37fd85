"""`python -m sweeps.export`: one row per trial."""

import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest
from loop_runs import GRID, Call, open_study, sweep
from optuna.trial import TrialState

from sweeps import export


def test_an_export_has_one_row_per_trial(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main([str(finished)]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(table["number"]) == list(range(6))
    assert list(table["state"]) == ["complete"] * 4 + ["fail"] * 2
    assert list(table["a.b"]) == [1, 1, 2, 2, 3, 3] and list(table["c"]) == ["[1,2]", "[3]"] * 3
    assert list(table["score"].dropna()) == [1, 1, 2, 2]
    assert list(table["run_dir"]) == [str(finished / str(n)) for n in range(6)]
    assert table["reason"].dropna().unique().tolist() == ["ArithmeticError: three"]
    assert (table["seconds"] >= 0).all()
    out = tmp_path / "table.parquet"
    assert export.main([str(finished), "--format", "parquet", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 6 trials, {len(table.columns)} columns\n"
    assert list(pd.read_parquet(out)["a.b"]) == [1, 1, 2, 2, 3, 3]


def test_an_export_of_a_copied_study_names_the_run_folders_of_the_copy(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = shutil.copytree(finished, tmp_path / "copy")
    assert export.main([str(copied)]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(table["run_dir"]) == [str(copied / str(n)) for n in range(6)]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_to_a_missing_folder_is_refused(
    kind: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main([str(finished), "--format", kind, "--out", str(tmp_path / "nope" / "table")]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"error: --out {tmp_path}/nope/table cannot be written: ") and message.count("\n") == 1


@pytest.mark.parametrize("url", ["nonsense", "journal:/x"])
def test_an_export_of_an_invalid_storage_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["study", "--storage", url]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: --storage is not the URL of a database: allowed is postgresql://")
    assert (
        message.endswith("journal:///FILE, or none for a study in its own folder.\n") and "sweep.storage" not in message
    )


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "journal"])
def test_an_export_does_not_create_a_missing_storage(
    scheme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = "journal://" if scheme == "journal" else f"{scheme}:///"
    file = tmp_path / "none" / "file" if scheme == "journal" else tmp_path / "file"
    assert export.main(["study", "--storage", f"{prefix}{file}"]) == 2
    assert capsys.readouterr().err == f"error: there is no file {file}, which --storage={prefix}{file} names.\n"
    assert not list(tmp_path.iterdir())


def test_an_export_to_a_file_is_complete_or_ends_in_one_sentence(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        out = tmp_path / f"table.{form}"
        out.write_text("what was there before")
        assert export.main([str(finished), "--format", form, "--out", str(out)]) == 0
        assert list(read(out)["number"]) == list(range(6))
        assert export.main([str(finished), "--format", form, "--out", str(tmp_path / "none" / "table")]) == 2
        assert export.main([str(finished), "--format", form, "--out", str(tmp_path)]) == 2
        assert capsys.readouterr().err == (
            f"error: --out {tmp_path}/none/table cannot be written: No such file or directory.\n"
            f"error: --out {tmp_path} cannot be written: Is a directory.\n"
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study", "table.csv", "table.parquet"]


def test_an_export_keeps_several_objectives_and_the_types_of_values(tmp_path: Path) -> None:
    options: dict[str, Any] = {"objective": ["a", "b"], "direction": ["maximize", "minimize"], "sampler": "grid"}
    sweep(tmp_path / "s", {"x": [1, "auto", [2, 3]]}, lambda _call: (1.0, 2.0), **options)
    assert export.main([str(tmp_path / "s"), "--format", "parquet", "--out", str(tmp_path / "t")]) == 0
    table = pd.read_parquet(tmp_path / "t")
    assert list(table["x"]) == ["1", "auto", "[2,3]"]
    assert list(table["a"]) == [1.0] * 3 and list(table["b"]) == [2.0] * 3


def test_a_pruned_trial_has_the_value_of_its_last_step_as_in_optuna(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = open_study(tmp_path / "s", {"x": [1, 2, 3]}, num_trials=3)
    for steps, state in (((0.2, 0.6, 0.5), TrialState.PRUNED), ((), TrialState.PRUNED), ((0.1,), TrialState.COMPLETE)):
        trial = study.claim()
        assert trial is not None
        for step, value in enumerate(steps, start=1):
            trial.report(value, step)
        study.finish(trial, state, [0.7] if state == TrialState.COMPLETE else None)
    study.close()
    assert export.main([str(tmp_path / "s")]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype=str, keep_default_na=False)
    assert list(table["score"]) == ["0.5", "", "0.7"] and list(table["value_of"]) == ["step 3", "", "result"]


@pytest.mark.parametrize(
    ("big", "kind"), [(2**53 + 1, pyarrow.int64()), (2**63 + 1, pyarrow.uint64()), (2**64, pyarrow.large_string())]
)
def test_whole_numbers_stay_whole_if_some_are_missing(
    big: int, kind: pyarrow.DataType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No float has these."""
    space = {"x": ["a", "b"], "n": {"values": [big], "when": {"x": "a"}}}
    enqueue = [{"x": "a"}, {"x": "b"}, {"x": "b"}]

    def task(call: Call) -> float:
        if call.values["x"] == "a" and not (call.folder / "again").exists():
            (call.folder / "again").touch()
            raise ArithmeticError("once")
        return 1.0

    for options in ({}, {"retry_failed": True}):
        sweep(tmp_path / "s", space, task, num_trials=3, num_slots=1, enqueue=enqueue, **options)
    assert export.main([str(tmp_path / "s")]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype=str, keep_default_na=False)
    assert list(table["retry_of"]) == ["", "", "", "0"]
    assert list(table["reused_from"]) == ["", "", "1", ""]
    assert list(table["attempts"]) == ["1", "1", "", "2"]
    assert list(table["n"]) == [str(big), "", "", str(big)]
    assert export.main([str(tmp_path / "s"), "--format", "parquet", "--out", str(tmp_path / "t")]) == 0
    assert pyarrow.parquet.read_schema(tmp_path / "t").field("n").type == kind


def test_an_export_of_a_study_without_trials_has_its_columns(tmp_path: Path) -> None:
    open_study(tmp_path / "s", GRID, sampler="grid").close()
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        assert export.main([str(tmp_path / "s"), "--format", form, "--out", str(tmp_path / form)]) == 0
        table = read(tmp_path / form)
        assert len(table) == 0 and {"number", "state", "score", "a.b", "c", "run_dir"} <= set(table.columns)


def test_a_reader_that_stops_reading_ends_the_export_quietly(tmp_path: Path) -> None:
    options: dict[str, Any] = {"sampler": "grid"}
    # More than a pipe holds.
    sweep(tmp_path / "s", {"x": [f"a{k}" * 1000 for k in range(50)]}, lambda _call: 1.0, num_slots=4, **options)
    command = [sys.executable, "-m", "sweeps.export", str(tmp_path / "s")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("number,state,score")
        process.stdout.close()
        assert process.stderr.read() == ""
