"""What a sweep shows and leaves: rows, ranking, lines, the comparison, exports."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from loop_runs import Call, Sweep, ThreadLauncher, open_study, sweep
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial
from rich.console import Console
from rich.text import Text

from sweeps import export, wandb_workspace
from sweeps.compare.subjects import find_subject
from sweeps.comparison import Comparison
from sweeps.dashboard.sources import Sources
from sweeps.display import Display, LiveDisplay
from sweeps.ls import command as ls
from sweeps.opening import study_folder
from sweeps.ranking import pareto_front, ranked
from sweeps.report import command as report_command
from sweeps.report.reading import read_report
from sweeps.rows import configuration, shown
from sweeps.storage import open_storage
from sweeps.summary import summarize
from sweeps.trial_run import Job, TrialRun

SPACE = {"a.b": [1, 2, 3], "c": [[1, 2], [3]]}
UP, DOWN = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE


def score(call: Call) -> float:
    if call.values["a.b"] == 3:
        raise ArithmeticError("three")
    return float(call.values["a.b"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_storage.cache_clear()
    sweep(tmp_path / "study", SPACE, score, sampler="grid", seeds=2)
    return tmp_path / "study"


def test_an_export_has_a_row_a_trial(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main([str(folder)]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(table["number"]) == list(range(6))
    assert list(table["state"]) == ["complete"] * 4 + ["fail"] * 2
    assert list(table["a.b"]) == [1, 1, 2, 2, 3, 3] and list(table["c"]) == ["[1,2]", "[3]"] * 3
    assert list(table["score"].dropna()) == [1, 1, 2, 2]
    assert list(table["run_dir"]) == [str(folder / str(n)) for n in range(6)]
    assert table["reason"].dropna().unique().tolist() == ["ArithmeticError: three"]
    assert (table["seconds"] >= 0).all()
    out = tmp_path / "table.parquet"
    assert export.main([str(folder), "--format", "parquet", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 6 trials, {len(table.columns)} columns\n"
    assert list(pd.read_parquet(out)["a.b"]) == [1, 1, 2, 2, 3, 3]


def test_a_study_is_found_by_its_name_and_after_a_move(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    moved = tmp_path / "outputs" / "sweeps" / "moved"
    moved.parent.mkdir(parents=True)
    folder.rename(moved)
    assert len(export.study_table("moved")) == 6


def test_every_study_that_is_listed_is_found_by_its_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the command line alone searches may lie among the runs."""
    monkeypatch.chdir(tmp_path)
    for place in (Path("outputs/runs/a"), Path("outputs/b"), Path("outputs/sweeps/c")):
        shutil.copytree(folder, place)
    assert ls.main(["--json"]) == 0
    listed = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert sorted(listed) == ["a", "b", "c"]
    for name in listed:
        assert len(export.study_table(name)) == 6
        report = read_report(name)
        assert report.folder == study_folder(name) and len(report.trials) == 6
    shown = Sources(Path("outputs"), None).find()
    assert sorted(source.folder.name for source in shown if source.folder) == ["a", "b", "c"]


def test_a_study_of_another_storage_is_found_by_the_name_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    home = Path("outputs/sweeps/study")
    options: dict[str, Any] = {"num_trials": 2, "storage": "sqlite:///studies.db"}

    def task(call: Call) -> float:
        (call.folder / "config.yaml").write_text("model: {width: 4}\n")
        return 1.0

    sweep(home, {"x": {"low": 0.0, "high": 1.0}}, task, **options)
    study = open_study(home, {"x": {"low": 0.0, "high": 1.0}}, **options)
    summarize(study, home)
    study.close()
    home.rename(home.with_name("renamed"))  # as a study with a journal may be
    for name in ("renamed", "outputs/sweeps/renamed"):
        assert len(export.study_table(name)) == 2
        assert len(read_report(name).trials) == 2 and read_report(name).folder.name == "renamed"
    assert find_subject("renamed:1").name == "study:1" and find_subject("renamed").runs
    assert export.main(["renamd"]) == 2
    assert "did you mean 'renamed'?" in capsys.readouterr().err
    Path("studies.db").unlink()
    open_storage.cache_clear()
    assert export.main(["renamed"]) == 2
    gone = "there is no file studies.db, which sweep.storage=sqlite:///studies.db names."
    assert capsys.readouterr().err == f"error: {gone}\n"


def test_a_name_that_is_nearly_that_of_a_study(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, "outputs/sweeps/fractions")
    shutil.copytree(folder, "outputs/runs/other")
    for command in (export, wandb_workspace, report_command):
        assert command.main(["fractons"]) == 2
        assert "fractons: did you mean 'fractions'? " in capsys.readouterr().err
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    optuna.create_study(study_name="widths", storage=open_storage(url, 60))
    assert export.main(["width", "--storage", url]) == 2
    assert "in the storage: did you mean 'widths'? it has widths." in capsys.readouterr().err


def test_a_study_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main([str(tmp_path / "nope")]) == 2
    assert capsys.readouterr().err.startswith(f"error: there is no study {tmp_path}/nope: neither")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_to_a_folder_that_is_not_there(
    kind: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main([str(folder), "--format", kind, "--out", str(tmp_path / "nope" / "table")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: --out {tmp_path}/nope/table cannot be written: ") and said.count("\n") == 1


@pytest.mark.parametrize("url", ["nonsense", "journal:/x"])
def test_an_export_of_a_storage_that_is_none(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["study", "--storage", url]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --storage is no URL of a database: allowed is postgresql://")
    assert said.endswith("journal:///FILE, or none for a study in its own folder.\n") and "sweep.storage" not in said


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "journal"])
def test_an_export_makes_no_storage_that_is_not_there(
    scheme: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = "journal://" if scheme == "journal" else f"{scheme}:///"
    file = tmp_path / "none" / "file" if scheme == "journal" else tmp_path / "file"
    assert export.main(["study", "--storage", f"{prefix}{file}"]) == 2
    assert capsys.readouterr().err == f"error: there is no file {file}, which --storage={prefix}{file} names.\n"
    assert not list(tmp_path.iterdir())


def test_the_end_compares_and_gives_the_best_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "-m"])
    open_storage.cache_clear()
    study = open_study(folder, SPACE, sampler="grid", seeds=2)
    summarize(study, folder)
    study.close()
    shown = capsys.readouterr().out
    assert "4 complete, 2 fail" in shown
    assert "best: python run.py a.b=1 'c=[1,2]'" in shown
    told = json.loads((folder / "sweep.json").read_text())
    assert told["best"][0]["configuration"] == {"a.b": 1, "c": [1, 2]} and told["best"][0]["values"] == [1.0]
    assert told["best_command"] == "python run.py a.b=1 'c=[1,2]'"
    assert told["counts"]["fail"] == 2 and [t["number"] for t in told["best"]] == [0, 1, 2, 3]


@pytest.mark.parametrize("width", [80, 124])
@pytest.mark.parametrize("num_axes", [1, 3, 22])
@pytest.mark.parametrize("objective", ["score", ["score", "val/log_loss", "val/macro_f1"]])
def test_the_comparison_is_whole_on_any_terminal(objective: Any, num_axes: int, width: int, tmp_path: Path) -> None:
    num = 1 if objective == "score" else len(objective)
    space = {f"model.option_{k}": {"low": 0.0, "high": 1.0} for k in range(num_axes)} | {"model": "reference"}
    options: dict[str, Any] = {"objective": objective, "direction": ["minimize"] * num if num > 1 else "minimize"}
    done = sweep(tmp_path, space, lambda _call: [0.25] * num, num_trials=2, seeds=2, **options)
    told = compared(done, tmp_path, width)
    assert "…" not in told and max(map(len, told.splitlines())) <= width
    assert told.count("0.2500 ± 0.0000") == 2 * num and "run folder" not in told and "reference" not in told
    together = re.sub(r"[\s│┃]", "", told)
    for trial in done.trials:
        assert re.search(rf"^\W*{trial.number} .* \d+\.\d s\b", told, re.MULTILINE)
        for name, value in configuration(trial).items():
            assert name == "model" or (name in together and shown(value) in together)


def test_of_several_objectives_the_front_is_marked_and_the_best_is_by_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"objective": ["score", "size"], "direction": ["maximize", "minimize"], "sampler": "grid"}
    space = {"x": [1, 2, 3, 0]}
    done = sweep(tmp_path, space, lambda call: (call.values["x"], abs(call.values["x"] - 1)), **options)
    study = open_study(tmp_path, space, **options)
    summarize(study, tmp_path)
    study.close()
    title, heading, *rows = capsys.readouterr().out.splitlines()
    assert title == "Study study, the Pareto front first"
    assert heading.split() == ["trial", "front", "score", "size", "time", "x"]
    assert [row.split()[:2] for row in rows[:4]] == [["2", "yes"], ["1", "yes"], ["0", "yes"], ["3", "no"]]
    assert any(row.startswith("best by score: ") and row.endswith(" x=3") for row in rows)
    on_terminal = compared(done, tmp_path, 80)
    assert "front" in on_terminal.splitlines()[2] and on_terminal.count("yes") == 3
    assert "front" not in compared(sweep(tmp_path / "one", space, lambda _: 1.0, sampler="grid"), tmp_path, 80)


def compared(done: Sweep, folder: Path, width: int | None) -> str:
    """The table of a sweep's trials, on a terminal of some width or on none."""
    output = io.StringIO()
    Comparison(done.study, done.trials, folder).print(Console(file=output, force_terminal=bool(width), width=width))
    return Text.from_ansi(output.getvalue()).plain


def test_what_is_no_terminal_has_a_line_a_trial_with_a_column_an_axis(tmp_path: Path) -> None:
    space = {f"model.option_{k}": ["[odd]", "even"] for k in range(22)}
    done = sweep(tmp_path, space, lambda _call: 0.25, num_trials=3, sampler="random")
    title, heading, *rows = compared(done, tmp_path, None).splitlines()
    assert title == "Study study, best first"
    assert heading.split() == ["trial", "score", "time", *space]
    assert [len(row.split()) for row in rows] == [26] * 3  # the unit of the time is a word
    assert "'[odd]'" in "".join(rows)


def test_a_run_folder_is_named_where_it_is_not_that_of_its_number(tmp_path: Path) -> None:
    (tmp_path / "s" / "1").mkdir(parents=True)
    done = sweep(tmp_path / "s", {"x": [1, 2]}, lambda call: call.values["x"], sampler="grid", num_slots=1)
    _, heading, first, second = compared(done, tmp_path / "s", None).splitlines()
    assert heading.split() == ["trial", "score", "time", "run", "folder", "x"]
    assert len(first.split()) == 5 and second.split()[4] == "1-2"
    assert str(tmp_path / "s" / "1-2") in compared(done, tmp_path, None)


def test_trials_that_the_table_leaves_out_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def task(call: Call) -> float:
        if call.values["x"] == 2:
            raise optuna.TrialPruned("at step 3 by asha")
        return 1.0

    for values, word in (([1, 2], "complete trials only."), ([1, 3], ""), ([1, 1], "complete trials only, each con")):
        folder = tmp_path / str(len(word))
        known = [{"x": value} for value in values]
        done = sweep(folder, {"x": [1, 2, 3]}, task, enqueue=known, num_trials=2, num_slots=1)
        study = open_study(folder, {"x": [1, 2, 3]}, enqueue=known, num_trials=2)
        summarize(study, folder)
        study.close()
        told = capsys.readouterr().out
        assert (f"The table lists {word}" in told) if word else "The table lists" not in told
        assert len(done.trials) == 2


def trial(*values: float, **constraints: float) -> optuna.trial.FrozenTrial:
    made = create_trial(values=values)
    for name, violation in constraints.items():
        made.set_constraint(name, violation)
    return made


def numbered(*trials: Any) -> list[optuna.trial.FrozenTrial]:
    for number, one in enumerate(trials):
        one.number = number
    return list(trials)


def test_the_best_comes_first_and_none_outside_the_constraints() -> None:
    trials = numbered(trial(1.0), trial(3.0, size=0.5), trial(2.0, size=-1.0), create_trial(state=TrialState.FAIL))
    assert [t.number for t in ranked(trials, [UP])] == [2, 0]
    assert [t.number for t in ranked(trials, [DOWN])] == [0, 2]


def test_the_pareto_front_comes_first() -> None:
    trials = numbered(trial(1.0, 1.0), trial(2.0, 3.0), trial(3.0, 4.0), trial(0.5, 2.0))
    # Of the first more, of the second less: 0 beats 3, and nothing beats 1 or 2.
    assert pareto_front(trials, [UP, DOWN]) == [0, 1, 2]
    assert [t.number for t in ranked(trials, [UP, DOWN])] == [2, 1, 0, 3]


def test_the_live_table_tells_of_running_trials(tmp_path: Path) -> None:
    open_storage.cache_clear()
    sweep(tmp_path, {"x": {"low": 0.0, "high": 1.0}}, lambda call: call.values["x"], num_trials=3)
    study = open_study(tmp_path, {"x": {"low": 0.0, "high": 1.0}}, num_trials=5)
    claimed = study.claim()
    assert claimed is not None
    claimed.report(0.25, 7)
    output = io.StringIO()
    display = LiveDisplay(study, Console(file=output, force_terminal=True, width=120))
    run = TrialRun(claimed, {"x": 0.5}, ["x=0.5"], tmp_path / "3", None)
    display.tick([Job(run, 0, 3, [])], ThreadLauncher(score, 1))
    display.close()
    study.close()
    shown = output.getvalue()
    for part in ("3 of 5", "best 0.", "thread", "0.2500", "x=0.5", "▁"):
        assert part in shown


@pytest.mark.parametrize("kind", [Display, LiveDisplay])
def test_a_controller_without_a_job_says_for_whom_it_waits(kind: type[Display], tmp_path: Path) -> None:
    open_storage.cache_clear()
    space = {"x": {"low": 0.0, "high": 1.0}}
    other, study = (open_study(tmp_path, space, num_trials=2) for _ in range(2))
    assert other.claim() and other.claim()
    output = io.StringIO()
    display = kind(study, Console(file=output, force_terminal=True, width=120))
    display.tick([], ThreadLauncher(score, 1))
    display.close()
    other.close()
    study.close()
    assert "Waiting for 2 trials of other controllers." in output.getvalue()


def test_an_export_into_a_file_is_whole_or_a_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        out = tmp_path / f"table.{form}"
        out.write_text("what was there before")
        assert export.main([str(folder), "--format", form, "--out", str(out)]) == 0
        assert list(read(out)["number"]) == list(range(6))
        assert export.main([str(folder), "--format", form, "--out", str(tmp_path / "none" / "table")]) == 2
        assert export.main([str(folder), "--format", form, "--out", str(tmp_path)]) == 2
        assert capsys.readouterr().err == (
            f"error: --out {tmp_path}/none/table cannot be written: No such file or directory.\n"
            f"error: --out {tmp_path} cannot be written: Is a directory.\n"
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study", "table.csv", "table.parquet"]


def test_an_export_of_several_objectives_and_of_values_of_several_types(tmp_path: Path) -> None:
    options: dict[str, Any] = {"objective": ["a", "b"], "direction": ["maximize", "minimize"], "sampler": "grid"}
    sweep(tmp_path / "s", {"x": [1, "auto", [2, 3]]}, lambda _call: (1.0, 2.0), **options)
    assert export.main([str(tmp_path / "s"), "--format", "parquet", "--out", str(tmp_path / "t")]) == 0
    table = pd.read_parquet(tmp_path / "t")
    assert list(table["x"]) == ["1", "auto", "[2,3]"]
    assert list(table["a"]) == [1.0] * 3 and list(table["b"]) == [2.0] * 3


def test_an_export_of_a_study_without_trials_has_its_columns(tmp_path: Path) -> None:
    open_study(tmp_path / "s", SPACE, sampler="grid").close()
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
