"""A run of the product that is trained to its end has its result, whatever the pruner thinks of it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from commands import command
from loop_runs import FLOATS, open_study
from small_runs import REPOSITORY, stages

from sweeps.job.reporter import close_reporter
from sweeps.job.trial_link import VARIABLE, TrialLink
from sweeps.storage.connect import open_storage

OBJECTIVE = "val/macro_f1"
THREE_EPOCHS = stages({"name": "a", "epochs": 1, "steps": 4}, {"name": "b", "epochs": 2, "steps": 4})


@pytest.mark.parametrize(("rung", "is_stopped"), [(2, True), (3, False)])
def test_a_rung_stops_a_run_only_before_its_last_epoch(
    rung: int,
    is_stopped: bool,
    small: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_storage.cache_clear()
    # With promotion the first trial of a rung is always stopped.
    asha = {"pruner": "asha", "pruning": {"min_steps": rung}, "promote": True}
    study = open_study(tmp_path / "study", FLOATS, num_trials=1, **asha)
    trial = study.claim()
    assert trial
    link = TrialLink(study.url, study.name, trial._trial_id, 0, study.controller.id, objective=OBJECTIVE, **asha)
    monkeypatch.setenv(VARIABLE, json.dumps(asdict(link)))
    ended = command(REPOSITORY / "run.py", *small(THREE_EPOCHS), cwd=tmp_path)
    close_reporter()
    assert ("TrialPruned: at step 2 by asha" in ended.stderr) == is_stopped
    assert (tmp_path / "run" / "result.json").exists() != is_stopped
    assert sorted(study.trials()[0].intermediate_values) == list(range(1, (2 if is_stopped else 3) + 1))
    study.close()
