"""A storage that does not answer holds no training, and what a job could not report is reported later."""

import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from loop_runs import open_study
from optuna.trial import TrialState
from waiting import await_that

import sweeps
from sweeps.job import reporter
from sweeps.job.lease import LeasedTask
from sweeps.job.trial_link import TrialLink
from sweeps.storage.connect import open_storage
from sweeps.study.ownership import TakenOver
from sweeps.study.shared_study import SharedStudy

SPACE = {"x": {"low": 0.0, "high": 1.0}}
IN_HASTE = {"timeout_s": 0.05, "report_timeout_s": 0.1}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    open_storage.cache_clear()
    monkeypatch.setattr(reporter, "PAUSE_S", 0.02)
    study = open_study(tmp_path, SPACE, num_trials=20)
    yield study
    reporter.close_reporter()
    study.close()


@pytest.fixture
def begin(study: SharedStudy, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes this process the job of a new trial."""

    def begin(**options: Any) -> TrialLink:
        trial = study.claim()
        assert trial is not None
        link = TrialLink(study.url, study.name, trial._trial_id, trial.number, study.controller.id, **options)
        monkeypatch.setattr(TrialLink, "of_job", lambda: link)
        return link

    return begin


def steps(study: SharedStudy) -> dict[int, float]:
    return study.trials()[-1].intermediate_values


def test_a_job_trains_on_without_its_storage_and_reports_late(
    study: SharedStudy, tmp_path: Path, begin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    begin(**IN_HASTE)
    sweeps.report_progress(1, 0.1)
    (tmp_path / "study.journal").rename(tmp_path / "away")
    with caplog.at_level(logging.WARNING):
        for step in (2, 3, 4):
            sweeps.report_progress(step, step / 10)
    assert caplog.text.count("training continues") == 1  # later steps do not wait
    assert "Study study has not answered for 0.1 s: step 2 is reported later" in caplog.text
    (tmp_path / "away").rename(tmp_path / "study.journal")
    await_that(lambda: steps(study) == {1: 0.1, 2: 0.2, 3: 0.3, 4: 0.4})
    await_that(lambda: "answers again" in caplog.text)
    sweeps.report_progress(5, 0.5)
    assert steps(study)[5] == 0.5


def test_a_call_that_never_returns_holds_no_training(
    study: SharedStudy, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one over a connection whose other end is gone."""
    returns, open_trial = threading.Event(), reporter._open_trial
    monkeypatch.setattr(reporter, "_open_trial", lambda link: returns.wait() and open_trial(link))
    begin(**IN_HASTE)
    for step in (1, 2):
        sweeps.report_progress(step, 0.5)
    assert steps(study) == {}
    returns.set()
    await_that(lambda: steps(study) == {1: 0.5, 2: 0.5})


def test_a_job_waits_for_its_reports_at_its_end(
    study: SharedStudy, tmp_path: Path, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    returns, open_trial = threading.Event(), reporter._open_trial
    monkeypatch.setattr(reporter, "_open_trial", lambda link: returns.wait() and open_trial(link))
    runtime = SimpleNamespace(runtime=SimpleNamespace(output_dir=str(tmp_path)))
    monkeypatch.setattr("sweeps.job.lease.HydraConfig", SimpleNamespace(get=lambda: runtime))

    def train(_config: Any) -> str:
        sweeps.report_progress(1, 0.5)
        assert steps(study) == {}
        threading.Timer(0.05, returns.set).start()
        object.__setattr__(link, "report_timeout_s", 60.0)
        return "trained"

    link = begin(**IN_HASTE)
    assert LeasedTask(train)({}) == "trained"
    assert steps(study) == {1: 0.5} and reporter._reporter is None


def test_what_cannot_be_reported_at_all_is_said_at_the_end(
    study: SharedStudy, tmp_path: Path, begin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    begin(**IN_HASTE)
    (tmp_path / "study.journal").rename(tmp_path / "away")
    for step in (1, 2):
        sweeps.report_progress(step, 0.5)
    reporter.close_reporter()
    assert "2 steps could not be reported to study study." in caplog.text


def prune_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report a first step whose answer, that the trial is pruned, comes when the job trains again."""
    goes_on = threading.Event()
    monkeypatch.setattr(reporter.Reporter, "_should_prune", lambda *given: goes_on.wait())
    sweeps.report_progress(1, 0.5)
    late = reporter.reporter_of(TrialLink.of_job())  # type: ignore[arg-type]  # never None in a job
    goes_on.set()
    await_that(lambda: late._ends_by is not None)


def test_a_pruner_and_a_takeover_end_a_job_that_reported_late(
    study: SharedStudy, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(**IN_HASTE, pruner="asha")
    prune_late(monkeypatch)
    with pytest.raises(optuna.TrialPruned, match="at step 1 by asha"):
        sweeps.report_progress(2, 0.5)
    begin(report_timeout_s=60.0)
    study.storage.set_trial_state_values(1, TrialState.WAITING)
    with pytest.raises(TakenOver):
        sweeps.report_progress(1, 0.5)


def test_a_pruner_that_is_not_there_ends_no_job_and_is_named_once(
    study: SharedStudy, begin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A module of the user's own, which the machine of the job lacks."""
    begin(pruner="no_such_module:Own", pruning={"limit": 0.3})
    for step in (1, 2):
        sweeps.report_progress(step, 0.5)
    assert steps(study) == {1: 0.5, 2: 0.5}
    assert caplog.messages == [
        "The pruner of study study cannot be used, so that none ends this job: "
        "sweep.pruner=no_such_module:Own cannot be imported: No module named 'no_such_module'."
    ]


@pytest.mark.parametrize("error", [KeyError("budget"), FileNotFoundError("limits.txt"), ZeroDivisionError("0")])
def test_a_pruner_that_fails_ends_no_job_and_is_named_once(
    error: Exception, study: SharedStudy, begin: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*given: Any) -> bool:
        raise error

    monkeypatch.setattr(optuna.pruners.ThresholdPruner, "prune", fail)
    begin(pruner="own_pruner:OwnPruner")
    for step in (1, 2, 3):
        sweeps.report_progress(step, 0.5)
        assert steps(study) == dict.fromkeys(range(1, step + 1), 0.5)
    named = f"The pruner of study study failed at step 1, so it does not end this job there: {type(error).__name__}: "
    (message,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert message.startswith(named)


def test_a_late_answer_of_the_pruner_ends_no_run_that_is_complete(
    study: SharedStudy, begin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(**IN_HASTE, pruner="asha")
    prune_late(monkeypatch)
    sweeps.report_progress(2, 0.5, is_last=True)
    begin(**IN_HASTE, pruner="asha", num_seeds=2)
    prune_late(monkeypatch)
    with pytest.raises(optuna.TrialPruned):  # the other seed is saved
        sweeps.report_progress(2, 0.5, is_last=True)
    link = begin(**IN_HASTE, pruner="asha")
    prune_late(monkeypatch)
    study.storage.set_trial_state_values(link.trial_id, TrialState.WAITING)
    object.__setattr__(link, "report_timeout_s", 60.0)
    with pytest.raises(TakenOver):
        sweeps.report_progress(2, 0.5, is_last=True)


def test_a_trial_that_a_rung_stops_late_is_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_storage.cache_clear()
    asha: dict[str, Any] = {"pruner": "asha", "pruning": {"min_steps": 1}, "promote": True}
    study = open_study(tmp_path, SPACE, num_trials=1, **asha)
    trial = study.claim()
    assert trial is not None
    link = TrialLink(study.url, study.name, trial._trial_id, 0, study.controller.id, **IN_HASTE, **asha)
    monkeypatch.setattr(TrialLink, "of_job", lambda: link)
    returns, open_trial = threading.Event(), reporter._open_trial
    monkeypatch.setattr(reporter, "_open_trial", lambda link: returns.wait() and open_trial(link))
    sweeps.report_progress(1, 0.5)
    sweeps.report_progress(2, 0.25)
    late = reporter.reporter_of(link)
    returns.set()
    await_that(lambda: late._ends_by is not None)
    with pytest.raises(optuna.TrialPruned, match="at step 1 by asha"):
        sweeps.report_progress(3, 0.125)
    reporter.close_reporter()
    assert steps(study) == {1: 0.5} and study.may_continue(trial)
    study.close()
