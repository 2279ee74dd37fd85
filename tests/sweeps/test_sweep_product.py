"""Sweeps of the product itself, by its own command."""

import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search_runs import REPOSITORY, end_of, finish, pid_that_holds, run, start, trials
from small_runs import OVERRIDES, outcome
from small_runs import run as run_alone
from waiting import await_that

from sweeps.export import study_table

SCRIPT = REPOSITORY / "run.py"
ONE_SLOT = "hydra.launcher.jobs_per_device=1"  # each worker imports torch
LONGER = ("schedule.stages.0.epochs=12", "schedule.stages.0.steps=4")


@pytest.fixture
def small(pack_folder: Path) -> list[str]:
    """A command of a small experiment, without its width."""
    fixed = [option for option in OVERRIDES if not option.startswith("model.width")]
    return ["data=packed", f"data.folder={pack_folder}", *fixed]


def run_with_width(width: int, small: list[str], folder: Path, *options: str) -> tuple[Any, ...]:
    """The result of a single run."""
    run_alone([*small, *options, f"model.width={width}", f"run_dir={folder}"])
    return outcome(folder)


@pytest.mark.slow
def test_a_grid_whose_worker_is_killed_ends_with_the_numbers_of_a_single_run(small: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    process = start(folder, *small, *LONGER, "model.width=4,6", ONE_SLOT, script=SCRIPT)
    rows = folder / "0" / "metrics.jsonl"
    await_that(lambda: rows.exists() and rows.read_text().count("\n") >= 2, process)
    os.kill(pid_that_holds(folder / "0" / "run.lock"), signal.SIGKILL)
    output = finish(process)
    assert process.returncode == 0, output
    assert "Trial 0: worker killed by SIGKILL" in output
    found = trials(folder)
    assert [trial.state.name for trial in found] == ["COMPLETE", "COMPLETE"]
    assert found[0].user_attrs["attempts"] == 2
    best = max(found, key=lambda trial: trial.values[0])
    # The search scores the test split for the best trial alone.
    held_back = [] if best.number == 0 else ["score_test=false"]
    alone = run_with_width(4, small, tmp_path / "alone", *LONGER, *held_back)
    assert outcome(folder / "0") == alone
    assert found[0].values == [alone[1]["val/macro_f1"]]
    # One may be missing: the kill can fall between an epoch's checkpoint and its report.
    assert len(set(range(1, 13)) - found[0].intermediate_values.keys()) <= 1
    best_command = next(line for line in output.splitlines() if line.startswith("best: "))
    assert shlex.split(best_command)[-1] == f"model.width={(4, 6)[best.number]}"
    assert json.loads((folder / "0" / "trial.json").read_text())["state"] == "complete"
    # A run does not depend on the search that chose it.
    assert "\nsweep: null\n" in (folder / "0" / "config.yaml").read_text()


@pytest.mark.slow
def test_all_folds_are_one_command(small: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "folds"
    folds = [option for option in small if not option.startswith("split.")]
    process = start(folder, *folds, "split=kfold", "split.num_folds=3", "model.width=4,6", ONE_SLOT, script=SCRIPT)
    output = finish(process)
    assert process.returncode == 0, output
    assert "run with split.fold=0,1,2 and judged by the mean" in output
    found = trials(folder)
    assert [trial.user_attrs["configuration"] for trial in found] == ['{"model.width":4}', '{"model.width":6}']
    best = max(found, key=lambda trial: trial.values[0])
    assert f"Trial {best.number}, out of fold" in output and "val/macro_f1 over 3 folds: " in output
    scored = json.loads((folder / "sweep.json").read_text())["out_of_fold"]
    assert scored["number"] == best.number and 0 <= scored["val/macro_f1"] <= 1
    assert f"validation macro-F1 {scored['val/macro_f1']:.4f}  (95 % interval" in output
    kept = json.loads((folder / str(best.number) / "out_of_fold" / "result.json").read_text())
    assert kept["val/macro_f1"] == scored["val/macro_f1"]


@pytest.mark.slow
def test_a_corrupt_checkpoint_of_a_retried_trial_is_ignored(small: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    process = start(folder, *small, *LONGER, "sweep.search_overrides=[]", "model.width=4,6", script=SCRIPT)
    rows = folder / "0" / "metrics.jsonl"
    await_that(lambda: rows.exists() and rows.read_text().count("\n") >= 3, process)
    worker = pid_that_holds(folder / "0" / "run.lock")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    await_that(lambda: not Path(f"/proc/{worker}").exists())
    checkpoint = folder / "0" / "last.ckpt"
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: len(content) // 2])
    process = start(folder, *small, *LONGER, "sweep.search_overrides=[]", "model.width=4,6", script=SCRIPT)
    output = finish(process)
    assert process.returncode == 0, output
    assert "\nTrial 0 is run again: its controller was lost.\n" in output
    assert "last.ckpt cannot be read" in (folder / "0" / "run.log").read_text()
    assert [trial.state.name for trial in trials(folder)] == ["COMPLETE", "COMPLETE"]
    assert outcome(folder / "0") == run_with_width(4, small, tmp_path / "alone", *LONGER)


@pytest.mark.slow
def test_a_named_search_prunes_and_resumes_in_its_own_folder(small: list[str], tmp_path: Path) -> None:
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


@pytest.mark.slow
def test_fractions_are_searched_by_name(small: list[str], tmp_path: Path) -> None:
    """Names hold from the command line and an enqueued mapping to the jobs, the best command, the export, a resume."""
    folder = tmp_path / "study"
    axis = "+sweep.space={sampler.fractions:{type:simplex,classes:[star,galaxy,qso],minimum:0.1}}"
    quick = ["model.width=4", "schedule.stages.0.epochs=1"]
    common = [*small, *quick, "sweep.search_overrides=[]", "sweep.sampler=random"]
    for total, enqueued in ((1, "{qso:0.2,star:0.5,galaxy:0.3}"), (2, "{galaxy:0.3,qso:0.2,star:0.5}")):
        options = [f"sweep.num_trials={total}", f"sweep.enqueue=[{{sampler.fractions:{enqueued}}}]"]
        process = start(folder, *common, axis, *options, script=SCRIPT)
        output = finish(process)
        assert process.returncode == 0, output
    first, second = [trial.user_attrs["overrides"] for trial in trials(folder)]
    assert first[-1] == "sampler.fractions={star:0.5,galaxy:0.3,qso:0.2}"
    assert second[-1].startswith("sampler.fractions={star:0.") and second != first
    best_command = next(line for line in output.splitlines() if line.startswith("best: "))
    assert shlex.split(best_command)[-1] in (first[-1], second[-1])
    run_alone([*small, *quick, "sampler.fractions=[0.5,0.3,0.2]", f"run_dir={tmp_path / 'alone'}"])
    assert outcome(folder / "0") == outcome(tmp_path / "alone")
    exported = study_table(str(folder))
    assert exported["sampler.fractions"][0] == "{galaxy:0.3,qso:0.2,star:0.5}"


@pytest.mark.slow
def test_configurations_that_violate_a_size_limit_are_not_trained(small: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    fixed = [option for option in small if not option.startswith("model.num_blocks")]
    bounds = "+sweep.constraints={receptive_field:{at_most:100}}"
    output = run(folder, *fixed, "model.width=4", "model.num_blocks=2,4", bounds, ONE_SLOT, script=SCRIPT)
    kept, outside = trials(folder)
    assert (kept.state.name, outside.state.name) == ("COMPLETE", "PRUNED")
    result = json.loads((folder / "0" / "result.json").read_text())
    assert result["receptive_field"] == 44 and kept.constraints == {"receptive_field": 44 - 100}
    assert outside.constraints == {"receptive_field": 118}
    assert outside.user_attrs["reason"] == "outside the constraint on receptive_field: 218, at most 100"
    assert "1 of them outside the constraints" in output
    # It was never started: no config, no epoch.
    assert not (folder / "1" / "config.yaml").exists() and not (folder / "1" / "metrics.jsonl").exists()


@pytest.mark.slow
def test_a_study_without_a_feasible_trial_ends_with_an_error(small: list[str], tmp_path: Path) -> None:
    folder, bounds = tmp_path / "grid", "+sweep.constraints={num_parameters:{at_most:1}}"
    fixed = [option for option in small if not option.startswith("model.width")]
    for _ in range(2):
        code, output = end_of(folder, *fixed, "model.width=4,5", bounds, ONE_SLOT, script=SCRIPT)
        assert code == 2, output
        last = output.splitlines()[-1]
        assert last == "error: no trial of the study ended well: 2 pruned, 2 of them outside the constraints."


@pytest.mark.slow
def test_a_study_is_not_resumed_over_changed_data(tmp_path: Path) -> None:
    data, folder = tmp_path / "d.npz", tmp_path / "study"
    small = [option for option in OVERRIDES if not option.startswith(("model.width", "data"))]
    small += ["data=arrays", f"data.path={data}", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}", ONE_SLOT]

    def resume(num_trials: int, *options: str) -> tuple[int | None, str]:
        counted = f"sweep.num_trials={num_trials}"
        process = start(
            folder, *small, "model.width=range(4,8)", "sweep.sampler=random", counted, *options, script=SCRIPT
        )
        output = finish(process)
        return process.returncode, output

    for seed in (1, 2):
        draws = np.random.default_rng(seed)
        np.savez(data, flux=draws.normal(size=(60, 64)).astype("f4"), type=np.array(["star", "galaxy", "qso"] * 20))
        code, output = resume(seed)
        assert (code, "the data of study study has changed" in output) == ((0, False) if seed == 1 else (2, True)), (
            output
        )
    assert len(trials(folder)) == 1
    code, output = resume(2, "sweep.accept_changed_data=true")
    assert code == 0, output
    assert "Trials on different data are ranked together, as sweep.accept_changed_data asked: " in output
    assert len(json.loads((folder / "sweep.json").read_text())["data"]) == 2
