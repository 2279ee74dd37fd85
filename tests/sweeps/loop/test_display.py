"""The table that a sweep shows while it runs."""

import io
from pathlib import Path
from unittest.mock import Mock

import pytest
from loop_runs import ThreadLauncher, grid_score, open_study, sweep
from optuna.trial import TrialState
from rich.console import Console

from sweeps.loop.display import Display, LiveDisplay
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.results.ranking import ranked
from sweeps.storage.connect import open_storage
from sweeps.study.attributes import CONFIGURATION, REASON


def test_the_live_table_shows_running_trials(tmp_path: Path) -> None:
    open_storage.cache_clear()
    sweep(tmp_path, {"x": {"low": 0.0, "high": 1.0}}, lambda call: call.values["x"], num_trials=3)
    study = open_study(tmp_path, {"x": {"low": 0.0, "high": 1.0}}, num_trials=5)
    claimed = study.claim()
    assert claimed is not None
    claimed.report(0.25, 7)
    output = io.StringIO()
    display = LiveDisplay(study, Console(file=output, force_terminal=True, width=120))
    run = TrialRun(claimed, {"x": 0.5}, ["x=0.5"], tmp_path / "3", None)
    display.tick([Job(run, 0, 3, [])], ThreadLauncher(grid_score, 1))
    display.close()
    study.close()
    shown = output.getvalue()
    for part in ("3 of 5", "best 0.", "thread", "0.2500", "x=0.5", "▁"):
        assert part in shown


def test_trials_are_ranked_only_when_one_has_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_storage.cache_clear()
    space = {"x": {"low": 0.0, "high": 1.0}}
    sweep(tmp_path, space, lambda call: call.values["x"], num_trials=3)
    study = open_study(tmp_path, space, num_trials=5)
    claimed = study.claim()
    assert claimed is not None
    ranking = Mock(side_effect=ranked)
    monkeypatch.setattr("sweeps.loop.display.ranked", ranking)
    monkeypatch.setattr("sweeps.loop.display.DRAW_S", 0.0)
    output = io.StringIO()
    display = LiveDisplay(study, Console(file=output, force_terminal=True, width=120))
    for _ in range(4):
        display.tick([], ThreadLauncher(grid_score, 1))
    assert ranking.call_count == 1
    claimed.set_user_attr(CONFIGURATION, '{"x": 0.5}')
    study.finish(claimed, TrialState.COMPLETE, [-2.0])
    for _ in range(4):
        display.tick([], ThreadLauncher(grid_score, 1))
    display.close()
    study.close()
    assert ranking.call_count == 2 and "best -2.0000 in trial 3" in output.getvalue()


@pytest.mark.parametrize("kind", [Display, LiveDisplay])
def test_a_controller_without_a_job_reports_what_it_waits_for(kind: type[Display], tmp_path: Path) -> None:
    open_storage.cache_clear()
    space = {"x": {"low": 0.0, "high": 1.0}}
    other, study = (open_study(tmp_path, space, num_trials=2) for _ in range(2))
    assert other.claim() and other.claim()
    output = io.StringIO()
    display = kind(study, Console(file=output, force_terminal=True, width=120))
    display.tick([], ThreadLauncher(grid_score, 1))
    display.close()
    other.close()
    study.close()
    assert "Waiting for 2 trials of other controllers." in output.getvalue()


def test_the_live_table_shows_how_long_the_job_has_run(tmp_path: Path) -> None:
    """Not its trial, which may have been paused for hours."""
    open_storage.cache_clear()
    study = open_study(tmp_path, {"x": {"low": 0.0, "high": 1.0}}, num_trials=1)
    claimed = study.claim()
    assert claimed is not None
    job = Job(TrialRun(claimed, {"x": 0.5}, ["x=0.5"], tmp_path / "0", None), 0, 0, [])
    job.begin_record(study.controller.id)
    assert job.record is not None
    job.record.began_s -= 5 * 3600
    output = io.StringIO()
    display = LiveDisplay(study, Console(file=output, force_terminal=True, width=120))
    display.tick([job], ThreadLauncher(grid_score, 1))
    display.close()
    study.close()
    assert "5 h 00 min" in output.getvalue()


def test_paused_trials_count_for_the_time_that_is_left(tmp_path: Path) -> None:
    open_storage.cache_clear()
    space = {"x": {"low": 0.0, "high": 1.0}}
    study = open_study(tmp_path, space, num_trials=3, pruner="asha", promote=True)
    output = io.StringIO()
    display = LiveDisplay(study, Console(file=output, force_terminal=True, width=120))
    claimed = study.claim()
    assert claimed is not None
    study.configure(claimed)
    study.pause(claimed, {REASON: "paused"})
    display.tick([], ThreadLauncher(grid_score, 1))
    display.close()
    study.close()
    assert "0 of 3  about " in output.getvalue()
