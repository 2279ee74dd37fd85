"""The job's side: what a job reports, when it ends, and that reporting does nothing outside a sweep."""

import contextlib
import io
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from loop_runs import ThreadLauncher, open_study, read_call
from omegaconf import OmegaConf
from optuna.trial import TrialState
from rich.console import Console

import sweeps
from sweeps.job.progress import epoch_callback
from sweeps.job.trial_link import VARIABLE, TrialLink
from sweeps.loop.display import Display, LiveDisplay, how_far
from sweeps.loop.job import build_job
from sweeps.loop.trial_run import TrialRun
from sweeps.space.constraints import OutsideConstraints
from sweeps.storage.connect import open_storage
from sweeps.study.ownership import TakenOver
from sweeps.study.shared_study import SharedStudy

SPACE = {"x": {"low": 0.0, "high": 1.0}}


def link_of(study: SharedStudy, **options: Any) -> TrialLink:
    trial = study.claim()
    assert trial is not None
    attributes = {"objective": "score", "pruning": study.config.pruning, **options}
    return TrialLink(study.url, study.name, trial._trial_id, trial.number, study.controller.id, **attributes)


def enter(link: TrialLink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of the job, as Hydra's parser reads it from the override."""
    override = OverridesParser.create().parse_override(link.override())
    monkeypatch.setenv(VARIABLE, OmegaConf.create({"value": override.value()}).value)
    assert TrialLink.of_job() == link


@pytest.fixture
def study(tmp_path: Path) -> Any:
    open_storage.cache_clear()
    study = open_study(tmp_path, SPACE, num_trials=20)
    yield study
    study.close()


def test_reporting_outside_a_sweep_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    sweeps.report_progress(1, 0.5)
    sweeps.check_constraints({"num_parameters": None})
    epoch_callback()(1, {"score": 0.5})


def test_epochs_reach_the_study(study: SharedStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(link_of(study), monkeypatch)
    on_epoch = epoch_callback()
    for epoch in (1, 2, 2, 3):  # one again, after a checkpoint
        on_epoch(epoch, {"score": epoch / 10, "other": 7})
    on_epoch(4, {"other": 7})
    assert study.trials()[0].intermediate_values == {1: 0.1, 2: 0.2, 3: 0.3}


@pytest.mark.parametrize("url", ["sqlite:///s.db", "journal://s.journal"])
def test_a_job_that_runs_in_its_own_folder_reports_to_the_storage(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with hydra.job.chdir=true."""
    open_storage.cache_clear()
    monkeypatch.chdir(tmp_path)
    study = open_study(tmp_path, SPACE, num_trials=1, storage=url)
    claimed = study.claim()
    assert claimed is not None
    job = build_job(study, TrialRun(claimed, {"x": 0.5}, ["x=0.5"], tmp_path / "0", None), 0, [])
    enter(read_call(job.overrides).link, monkeypatch)
    (tmp_path / "0").mkdir()
    with contextlib.chdir(tmp_path / "0"):
        sweeps.report_progress(1, 0.5)
    assert study.trials()[0].intermediate_values == {1: 0.5}
    study.close()


def test_a_job_without_pruning_reports_its_progress(study: SharedStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(link_of(study, takes_steps=False, seed_index=2), monkeypatch)
    sweeps.report_progress(1, 0.5)
    sweeps.report_progress(2, 0.75)
    (trial,) = study.trials()
    assert trial.intermediate_values == {}
    assert how_far(trial, 2) == (2, 0.75) and how_far(trial, 0) is None


BOUNDS = {"num_parameters": {"at_most": 100}, "receptive_field": {"at_least": 10}, "val/macro_f1": {"at_least": 0.5}}


def test_numbers_reported_before_the_work_are_checked_against_the_constraints(
    study: SharedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(link_of(study, constraints=BOUNDS), monkeypatch)
    sweeps.check_constraints({"num_parameters": 100, "receptive_field": None})
    with pytest.raises(OutsideConstraints) as raised:
        sweeps.check_constraints({"num_parameters": 2_300_000, "receptive_field": 4, "other": 1})
    crossed = pickle.loads(pickle.dumps(raised.value))
    assert crossed.violations == {"num_parameters": 2_299_900, "receptive_field": 6}
    assert str(crossed) == (
        "outside the constraint on num_parameters: 2,300,000, at most 100; "
        "outside the constraint on receptive_field: 4, at least 10"
    )


def test_an_unbounded_number_violates_an_upper_bound(study: SharedStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(link_of(study, constraints={"receptive_field": {"at_most": 500}}), monkeypatch)
    with pytest.raises(OutsideConstraints, match="receptive_field: without bound, at most 500") as raised:
        sweeps.check_constraints({"receptive_field": None})
    assert math.isfinite(raised.value.violations["receptive_field"])


def test_an_unknown_number_fails_a_job_whose_sweep_bounds_it(
    study: SharedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(link_of(study, constraints={"receptive_field": {"at_most": 500}}), monkeypatch)
    with pytest.raises(ValueError, match=r"constraints\.receptive_field cannot be checked: its value unknown"):
        sweeps.check_constraints({"receptive_field": "unknown"})


PRUNERS: list[tuple[str, dict[str, int]]] = [
    ("asha", {}),
    ("median", {"startup_trials": 2}),
    ("hyperband", {"max_steps": 9}),
]


@pytest.mark.parametrize(("pruner", "pruning"), PRUNERS)
def test_a_job_worse_than_all_before_is_pruned(
    pruner: str, pruning: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_storage.cache_clear()
    study = open_study(tmp_path, SPACE, num_trials=20, pruner=pruner, pruning=pruning)
    ended = []
    for number in range(12):
        enter(link_of(study, pruner=pruner), monkeypatch)
        try:
            for epoch in range(1, 10):
                sweeps.report_progress(epoch, float(number))
            study.study.tell(number, float(number))
        except optuna.TrialPruned as pruned:
            ended.append(number)
            assert str(pruned).endswith(f"by {pruner}")
            study.study.tell(number, state=optuna.trial.TrialState.PRUNED)
    assert 0 not in ended and len(ended) >= 6
    study.close()


@pytest.mark.parametrize("num_seeds", [1, 2])
@pytest.mark.parametrize(("pruner", "pruning"), PRUNERS)
def test_only_a_job_that_other_seeds_follow_is_pruned_after_its_last_epoch(
    pruner: str, pruning: dict[str, int], num_seeds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_storage.cache_clear()
    study = open_study(tmp_path, SPACE, num_trials=20, pruner=pruner, pruning=pruning)
    num_pruned = 0
    for number in range(12):
        enter(link_of(study, pruner=pruner, num_seeds=num_seeds), monkeypatch)
        try:
            epoch_callback(last_epoch=9)(9, {"score": float(number)})
        except optuna.TrialPruned:
            num_pruned += 1
        study.study.tell(number, float(number))
    assert (num_pruned > 0) == (num_seeds > 1)
    assert [trial.intermediate_values for trial in study.trials()] == [{9: float(number)} for number in range(12)]
    study.close()


@pytest.mark.parametrize(
    "text", ["plain", "it's", 'a "b"', "back\\slash", "back\\\\slashes\\", "${x}", "a,b=c{d}[e]", "ü"]
)
def test_any_study_name_can_be_passed_through_hydra(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(TrialLink(storage=text, study=text, trial_id=1, number=2, owner=text, objective=text), monkeypatch)


def test_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, sweeps, sweeps.job.progress; print([m for m in ('optuna', 'torch', 'numpy') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_job_whose_trial_was_taken_over_ends_at_its_next_report(
    study: SharedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(link_of(study), monkeypatch)
    sweeps.report_progress(1, 0.5)
    study.storage.set_trial_user_attr(0, "owner", "another")
    for report in (sweeps.report_progress, lambda step, value: epoch_callback()(step, {"other": value})):
        with pytest.raises(TakenOver, match="trial 0 of study study"):
            report(2, 0.7)
    # The job that resumes from the checkpoint of this epoch will not report it.
    assert study.trials()[0].intermediate_values == {1: 0.5, 2: 0.7}


def test_a_job_that_another_controller_gave_back_ends(study: SharedStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(link_of(study), monkeypatch)
    study.storage.set_trial_state_values(0, TrialState.WAITING)
    with pytest.raises(TakenOver):
        sweeps.report_progress(1, 0.5)


@pytest.mark.parametrize(
    "options",
    [
        {"objective": ["score", "b"], "direction": "minimize"},
        {"seeds": 2},
        {"seeds": 3, "pruner": "wilcoxon", "pruning": {"p_threshold": 0.3}},
        {"seeds": 2, "pruner": "asha", "pruning": {"min_steps": 9}, "promote": True},
        {"seeds": 2, "pruner": "own_pruner:OwnPruner", "pruning": {"limit": 0.9}},
    ],
    ids=str,
)
def test_every_job_shows_its_epoch(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    open_storage.cache_clear()
    monkeypatch.setattr("sweeps.loop.display.LOG_S", 0.0)
    study = open_study(tmp_path, SPACE, num_trials=2, **options)
    claimed = study.claim()
    assert claimed is not None
    seeds = list(range(options["seeds"])) if "seeds" in options else None
    run = TrialRun(claimed, {"x": 0.5}, ["x=0.5"], tmp_path / "0", seeds)
    jobs = [build_job(study, run, k, []) for k in range(run.num_seeds)]
    for k, job in enumerate(jobs):
        link = read_call(job.overrides).link
        assert link.num_seeds == run.num_seeds
        enter(link, monkeypatch)
        epoch_callback()(3, {"score": 0.5})
        epoch_callback()(4 + k, {"score": 0.25 + k, "b": 7.0})
    output = io.StringIO()
    for kind in (Display, LiveDisplay):
        display = kind(study, Console(file=output, force_terminal=True, width=150))
        display.tick(jobs, ThreadLauncher(lambda _call: 1.0, 1))
        display.close()
    study.close()
    shown = " ".join(output.getvalue().split())
    for k in range(run.num_seeds):
        name = f"0 seed-{k}" if seeds else "0"
        assert f"trial {name} epoch {4 + k} {0.25 + k:.4f}" in shown  # the log
        assert f"{name} {4 + k} {0.25 + k:.4f}" in shown  # the table
    assert caplog.messages == []  # such as an option that has no effect
