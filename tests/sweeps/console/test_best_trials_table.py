"""The end of a sweep's output: the comparison, and the best command."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from loop_runs import GRID, Call, Sweep, open_study, sweep
from rich.console import Console
from rich.text import Text

from sweeps.console.best_trials_table import BestTrialsTable
from sweeps.console.summary import summarize
from sweeps.results.trial_row import configuration, shown
from sweeps.storage.connect import open_storage


def test_the_summary_compares_trials_and_gives_the_command_of_the_best(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "-m"])
    open_storage.cache_clear()
    study = open_study(finished, GRID, sampler="grid", seeds=2)
    summarize(study, finished)
    study.close()
    shown = capsys.readouterr().out
    assert "4 complete, 2 fail" in shown
    assert "best: python run.py a.b=1 'c=[1,2]' seed=10" in shown
    summary = json.loads((finished / "sweep.json").read_text())
    assert summary["best"][0]["configuration"] == {"a.b": 1, "c": [1, 2]} and summary["best"][0]["values"] == [1.0]
    assert summary["best_command"] == "python run.py a.b=1 'c=[1,2]' seed=10"
    assert summary["counts"]["fail"] == 2 and [t["number"] for t in summary["best"]] == [0, 1, 2, 3]


def test_the_best_command_has_the_threads_of_a_slot_of_the_cpu(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        (call.folder / "result.json").write_text('{"runtime": {"device": "cpu", "num_threads": 1}}')
        return 1.0

    done = sweep(tmp_path, {"x": [4]}, task, num_trials=1)
    summarize(done.study, tmp_path)
    assert json.loads((tmp_path / "sweep.json").read_text())["best_command"].endswith(" x=4 num_threads=1")


@pytest.mark.parametrize(("seeds", "which"), [(1, "/0"), (2, "/0/seed-0")])
def test_the_end_of_a_sweep_says_how_the_best_trial_classifies_new_spectra(
    seeds: int, which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def task(call: Call) -> float:
        (call.folder / "model.json").touch()
        return 1.0

    done = sweep(tmp_path, {"x": [4]}, task, num_trials=1, seeds=seeds)
    summarize(done.study, tmp_path)
    line = f"trial 0: python -m spectral.predict run={tmp_path}{which} out=classes.csv data=..."
    assert line + " (the first seed of 2)" * (seeds > 1) in capsys.readouterr().out.splitlines()
    (tmp_path / which[1:] / "model.json").unlink()  # of a program that leaves no network
    summarize(done.study, tmp_path)
    assert "spectral.predict" not in capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 124])
@pytest.mark.parametrize("num_axes", [1, 3, 22])
@pytest.mark.parametrize("objective", ["score", ["score", "val/log_loss", "val/macro_f1"]])
def test_the_comparison_is_complete_at_any_width(objective: Any, num_axes: int, width: int, tmp_path: Path) -> None:
    num = 1 if objective == "score" else len(objective)
    space = {f"model.option_{k}": {"low": 0.0, "high": 1.0} for k in range(num_axes)} | {"model": "reference"}
    options: dict[str, Any] = {"objective": objective, "direction": ["minimize"] * num if num > 1 else "minimize"}
    done = sweep(tmp_path, space, lambda _call: [0.25] * num, num_trials=2, seeds=2, **options)
    output = compared(done, tmp_path, width)
    assert "…" not in output and max(map(len, output.splitlines())) <= width
    assert output.count("0.2500 ± 0.0000") == 2 * num and "run folder" not in output and "reference" not in output
    together = re.sub(r"[\s│┃]", "", output)
    for trial in done.trials:
        assert re.search(rf"^\W*{trial.number} .* \d+\.\d s\b", output, re.MULTILINE)
        for name, value in configuration(trial).items():
            assert name == "model" or (name in together and shown(value) in together)


def test_several_objectives_mark_the_front_and_rank_by_the_first(
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
    BestTrialsTable(done.study, done.trials, folder).print(
        Console(file=output, force_terminal=bool(width), width=width)
    )
    return Text.from_ansi(output.getvalue()).plain


def test_output_to_a_file_has_one_line_per_trial_and_one_column_per_axis(tmp_path: Path) -> None:
    space = {f"model.option_{k}": ["[odd]", "even"] for k in range(22)}
    done = sweep(tmp_path, space, lambda _call: 0.25, num_trials=3, sampler="random")
    title, heading, *rows = compared(done, tmp_path, None).splitlines()
    assert title == "Study study, best first"
    assert heading.split() == ["trial", "score", "time", *space]
    assert [len(row.split()) for row in rows] == [26] * 3  # the unit of the time is a word
    assert "'[odd]'" in "".join(rows)


def test_a_run_folder_is_named_if_its_name_is_not_the_trial_number(tmp_path: Path) -> None:
    (tmp_path / "s" / "1").mkdir(parents=True)
    done = sweep(tmp_path / "s", {"x": [1, 2]}, lambda call: call.values["x"], sampler="grid", num_slots=1)
    _, heading, first, second = compared(done, tmp_path / "s", None).splitlines()
    assert heading.split() == ["trial", "score", "time", "run", "folder", "x"]
    assert len(first.split()) == 5 and second.split()[4] == "1-2"
    assert str(tmp_path / "s" / "1-2") in compared(done, tmp_path, None)


def test_trials_that_the_table_leaves_out_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def task(call: Call) -> float:
        if call.values["x"] == 2:
            raise optuna.TrialPruned("at step 3 by asha")
        return 1.0

    for values, word in (([1, 2], "complete trials only."), ([1, 3], ""), ([1, 1], "complete trials only, each con")):
        folder = tmp_path / str(len(word))
        enqueued = [{"x": value} for value in values]
        done = sweep(folder, {"x": [1, 2, 3]}, task, enqueue=enqueued, num_trials=2, num_slots=1)
        study = open_study(folder, {"x": [1, 2, 3]}, enqueue=enqueued, num_trials=2)
        summarize(study, folder)
        study.close()
        output = capsys.readouterr().out
        assert (f"The table lists {word}" in output) if word else "The table lists" not in output
        assert len(done.trials) == 2
