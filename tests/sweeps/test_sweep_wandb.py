"""Sweeps of the product logged to the real Weights & Biases, offline: one run per trial, and one of the study."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from offline_runs import OfflineRun, check_epochs, offline_runs
from omegaconf import OmegaConf
from search_runs import finish, pid_that_holds, start, trials
from small_runs import OVERRIDES, REPOSITORY, outcome
from small_runs import run as run_alone
from waiting import await_that

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_key")]

SCRIPT = REPOSITORY / "run.py"
LONGER = ("schedule.stages.0.epochs=12", "schedule.stages.0.steps=4")


@pytest.fixture
def small(pack_folder: Path) -> list[str]:
    """A command of a small experiment that is tracked, with its pictures; its width and learning rate are left open."""
    own = ("model.width", "optimizer.lr", "tracker=", "plots=")
    fixed = [option for option in OVERRIDES if not option.startswith(own)]
    return ["data=packed", f"data.folder={pack_folder}", *fixed, "tracker=wandb", "tracker.mode=offline"]


def table(run: OfflineRun, name: str) -> dict[str, Any]:
    """The columns and data of a table that a run logged."""
    path = run.summary["summary"][name]["path"]
    loaded: dict[str, Any] = json.loads((run.folder / "files" / path).read_text())
    return loaded


def only_study_run(folder: Path) -> OfflineRun:
    (only,) = offline_runs(folder)
    return only


def check_final(run_folder: Path, before: OfflineRun, final: OfflineRun) -> None:
    """Check a finished run that was started once more, for its test scores alone."""
    assert (final.about["run_id"], final.about["job_type"]) == (before.about["run_id"], "final")
    assert final.epochs == [] and check_steps([before, final]) > max(row["_step"] for row in before.history)
    summary, earlier = final.summary["summary"], before.summary["summary"]
    assert (summary["status"], summary["attempt"]) == ("finished", earlier["attempt"])
    result = json.loads((run_folder / "result.json").read_text())
    assert summary["result/test/macro_f1"] == result["test/macro_f1"] and "result/test/macro_f1" not in earlier


def check_steps(starts: list[OfflineRun]) -> int:
    """The last step of all; each is higher than those before it, in earlier starts too."""
    steps = [row["_step"] for run in starts for row in run.history]
    assert steps == sorted(set(steps))
    return steps[-1]


def test_a_grid_is_logged_as_a_group_of_runs_and_one_run_of_the_study(small: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    process = start(folder, *small, "optimizer.lr=0.01", "model.width=4,6,8", script=SCRIPT)
    output = finish(process)
    assert process.returncode == 0, output
    starts = [offline_runs(folder / str(number)) for number in range(3)]
    trial_runs = [first for first, *_ in starts]
    assert [run.about["display_name"] for run in trial_runs] == [f"model.width={width}" for width in (4, 6, 8)]
    assert {(run.about["run_group"], run.about["job_type"]) for run in trial_runs} == {("grid", "grid")}
    assert len({run.about["run_id"] for run in trial_runs}) == 3
    for number, run in enumerate(trial_runs):
        check_epochs(folder / str(number), run.epochs)
        assert run.summary["config"] == OmegaConf.load(folder / str(number) / "config.yaml")
        assert run.summary["summary"]["status"] == "finished" and run.summary["exit_code"] == 0
    best_number = max(trials(folder), key=lambda trial: (trial.values[0], -trial.number)).number
    assert [len(of_trial) for of_trial in starts] == [1 + (number == best_number) for number in range(3)]
    check_final(folder / str(best_number), *starts[best_number])
    (study,) = offline_runs(folder)
    assert (study.about["run_group"], study.about["job_type"]) == ("grid", "sweep")
    values = [trial.values[0] for trial in sorted(trials(folder), key=lambda t: t.datetime_complete)]
    best = [max(values[: end + 1]) for end in range(3)]
    rows = [row for row in study.history if "trial" in row]
    assert [row["best so far/val/macro_f1"] for row in rows] == best
    assert [row["trials ended"] for row in study.history] == [1, 2, 3, 3] and "epoch" not in study.metrics
    assert study.metrics["*"]["step_metric"] == "trials ended"
    listed = table(study, "trials")
    assert [row[listed["columns"].index("model.width")] for row in listed["data"]] == [4, 6, 8]
    assert study.summary["summary"]["parallel_coordinates"]["_type"] == "plotly-file"
    (line,) = [line for line in output.splitlines() if line.startswith("wandb")]
    assert line.endswith(f"; to upload it: wandb sync {study.folder} {folder}/*/wandb/offline-run-*")
    # The same command again has nothing to do, and so nothing to log.
    finish(start(folder, *small, "optimizer.lr=0.01", "model.width=4,6,8", script=SCRIPT))
    assert len(offline_runs(folder)) == 1


def test_a_killed_worker_and_a_pruned_trial_are_logged_as_such(small: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "study"
    # The first is good and the second is not, so that the median of one prunes it.
    search = [
        "optimizer.lr=choice(0.01,1.0e-9)",
        "sweep.num_trials=2",
        "sweep.sampler=random",
        "sweep.pruner=median",
        "sweep.pruning.startup_trials=1",
        "sweep.enqueue=[{optimizer.lr: 0.01}, {optimizer.lr: 1.0e-9}]",
        "model.width=4",
        "hydra.launcher.jobs_per_device=1",
    ]
    process = start(folder, *small, *LONGER, *search, script=SCRIPT)
    record, rows = folder / "0" / "tracker.json", folder / "0" / "metrics.jsonl"

    def is_under_way() -> bool:
        run_id = record.exists() and json.loads(record.read_text())["wandb"]["id"]
        return bool(run_id) and rows.read_text().count("\n") >= 2

    await_that(is_under_way, process)
    os.kill(pid_that_holds(folder / "0" / "run.lock"), signal.SIGKILL)
    output = finish(process)
    assert process.returncode == 0, output
    assert [trial.state.name for trial in trials(folder)] == ["COMPLETE", "PRUNED"]
    first, second, final = offline_runs(folder / "0")
    assert first.about["run_id"] == second.about["run_id"]
    summaries = [run.summary["summary"] for run in (first, second)]
    assert [summary["status"] for summary in summaries] == ["interrupted", "finished"]
    assert [summary["attempt"] for summary in summaries] == [1, 2]
    assert "ended without a word" in summaries[0]["reason"]
    check_epochs(folder / "0", [*first.epochs, *second.epochs])
    check_final(folder / "0", second, final)
    (pruned,) = offline_runs(folder / "1")
    summary = pruned.summary["summary"]
    assert summary["status"] == "pruned" and "by median" in summary["reason"]
    assert (pruned.about["display_name"], pruned.about["job_type"]) == ("optimizer.lr=1e-09", "trial")
    assert 1 <= len(pruned.epochs) < 12
    check_epochs(folder / "1", pruned.epochs)
    # The tracker may change, and the study's own run resumes as the trials do.
    search[search.index("sweep.num_trials=2")] = "sweep.num_trials=3"
    seen = [row["trial"] for row in only_study_run(folder).history if "trial" in row]
    process = start(folder, *small, *LONGER, *search, "sweep.enqueue=[]", "tracker.tags=[later]", script=SCRIPT)
    output = finish(process)
    assert process.returncode == 0, output
    first, second = offline_runs(folder)
    assert first.about["run_id"] == second.about["run_id"] and second.about["tags"] == ["later"]
    new = [trial.number for trial in trials(folder) if trial.state.name == "COMPLETE" and trial.number > 1]
    # A configuration that is drawn twice is not run again, nor logged again.
    new = [number for number in new if "reused_from" not in trials(folder)[number].user_attrs]
    later_rows = [row for row in second.history if "trial" in row]
    assert seen == [0] and [row["trial"] for row in later_rows] == new
    check_steps([first, second])
    # Neither the kill nor the tracker nor the later test scores change what the run gives.
    untracked = [option for option in small if not option.startswith("tracker")]
    own = "tracker=none", "model.width=4", "optimizer.lr=0.01", f"run_dir={tmp_path / 'alone'}"
    run_alone([*untracked, *LONGER, *own])
    assert outcome(folder / "0") == outcome(tmp_path / "alone")
