"""Sweeps of the product itself, by its own command."""

import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from search_runs import REPOSITORY, await_that, finish, pid_that_holds, start, trials
from small_runs import OVERRIDES, outcome
from small_runs import run as run_alone

SCRIPT = REPOSITORY / "run.py"
LONGER = ("schedule.stages.0.epochs=12", "schedule.stages.0.steps=4")


@pytest.fixture
def small(pack_folder: Path) -> list[str]:
    """A command of a small experiment, without its width."""
    fixed = [option for option in OVERRIDES if not option.startswith("model.width")]
    return ["data=packed", f"data.folder={pack_folder}", *fixed]


def run_with_width(width: int, small: list[str], folder: Path, *options: str) -> tuple[Any, ...]:
    """What a single run ends with."""
    run_alone([*small, *options, f"model.width={width}", f"run_dir={folder}"])
    return outcome(folder)


def test_a_grid_whose_worker_is_killed_ends_with_the_numbers_of_a_single_run(small: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    process = start(folder, *small, *LONGER, "model.width=4,6", script=SCRIPT)
    rows = folder / "0" / "metrics.jsonl"
    await_that(lambda: rows.exists() and rows.read_text().count("\n") >= 2, process)
    os.kill(pid_that_holds(folder / "0" / "run.lock"), signal.SIGKILL)
    output = finish(process)
    assert process.returncode == 0, output
    assert "Trial 0: worker killed by SIGKILL" in output
    found = trials(folder)
    assert [trial.state.name for trial in found] == ["COMPLETE", "COMPLETE"]
    assert found[0].user_attrs["attempts"] == 2
    alone = run_with_width(4, small, tmp_path / "alone", *LONGER)
    assert outcome(folder / "0") == alone
    assert found[0].values == [alone[1]["val/macro_f1"]]
    assert sorted(found[0].intermediate_values) == list(range(1, 13))
    best = max(found, key=lambda trial: trial.values[0])
    command = next(line for line in output.splitlines() if line.startswith("best: "))
    assert shlex.split(command)[-1] == f"model.width={(4, 6)[best.number]}"
    assert json.loads((folder / "0" / "trial.json").read_text())["state"] == "complete"
    # A run does not depend on the search that chose it.
    assert "\nsweep: null\n" in (folder / "0" / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["model.width=16,abc"], "model.width"),
        (["sweep.sampler=tpee", "model.width=4,8"], "sweep.sampler=tpee is not known: did you mean 'tpe'?"),
        (["sweep=fractoins"], "sweep=fractoins is not known: did you mean 'fractions'?"),
        (["objective=val/nope", "model.width=4,8"], "objective=val/nope is not known"),
    ],
)
def test_mistakes_end_in_one_sentence_before_anything_runs(arguments: list[str], said: str, tmp_path: Path) -> None:
    process = start(tmp_path / "study", *arguments, script=SCRIPT)
    output = finish(process)
    assert process.returncode == 2, output
    assert output.splitlines()[-1].startswith("error: ") and said in output.splitlines()[-1]
    assert "Traceback" not in output
    assert not (tmp_path / "study" / "0").exists()


@pytest.mark.slow
def test_a_named_search_prunes_and_goes_on_in_its_own_folder(small: list[str], tmp_path: Path) -> None:
    """The objective's name is a metric, and pruning comes from inside the training loop."""
    folder = tmp_path / "study"
    options = ["sweep=widths", "sweep.num_trials=2", "schedule.stages.0.epochs=3", "sweep.enqueue=[]"]
    for total in (2, 3):
        options[1] = f"sweep.num_trials={total}"
        process = start(folder, *small, *options, script=SCRIPT)
        output = finish(process)
        assert process.returncode == 0, output
        assert len(trials(folder)) == total
    run = [trial.user_attrs["run_dir"] for trial in trials(folder) if "reused_from" not in trial.user_attrs]
    assert len(set(run)) == len(run)
