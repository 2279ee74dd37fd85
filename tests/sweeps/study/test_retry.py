"""Whether a lost job runs again, and when; its attempts are counted across controllers."""

from pathlib import Path

import pytest
from loop_runs import Call, open_study, square, sweep
from optuna.trial import TrialState

from sweeps.launchers.contract import WorkerLost
from sweeps.study.attributes import JOBS
from sweeps.study.job_records import JobRecord, records_of
from sweeps.study.retry import RetryPolicy

FLOATS = {"x": {"low": 0.0, "high": 1.0}}


def attempts(*endings: str) -> list[JobRecord]:
    return [JobRecord(0, "any", 0.0, 1.0, ending=ending, reason=f"{k}") for k, ending in enumerate(endings)]


def test_the_pause_doubles_with_each_lost_worker_up_to_its_maximum() -> None:
    policy = RetryPolicy(max_retries=10_000)
    pauses = [policy.ask(attempts(*["lost"] * num)).pause_s for num in range(9)]
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert policy.ask(attempts(*["lost"] * 5000)).pause_s == 60


@pytest.mark.parametrize(
    ("max_retries", "reason"),
    [
        (0, "the worker was lost once: 0; sweep.max_retries=0"),
        (2, "the worker was lost 3 times, the last: 2; sweep.max_retries=2"),
    ],
)
def test_a_job_is_started_once_more_than_its_retries(max_retries: int, reason: str) -> None:
    policy, lost = RetryPolicy(max_retries), ["lost"] * max_retries
    assert policy.ask(attempts(*lost)).pause_s is not None
    answer = policy.ask(attempts(*lost, "lost"))
    assert answer.pause_s is None and answer.reason == reason


def test_a_stopped_job_or_a_failed_start_uses_no_attempt() -> None:
    policy = RetryPolicy(max_retries=0)
    assert policy.ask(attempts("stopped", "stopped", "stopped")).pause_s == 0
    assert [policy.ask([], num).pause_s for num in (1, 2, 3, 400)] == [1, 2, 4, 60]


def claim_and_die(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: int) -> int | None:
    """Let a controller start a job of the next trial and die; returns the trial's number."""
    study = open_study(folder, FLOATS, num_trials=1, **options)
    trial = study.claim()
    if trial is not None:
        study.configure(trial)
        records = [*trial.user_attrs.get(JOBS, []), vars(JobRecord(0, study.controller.id, 5.0))]
        study.set_attributes(trial, {JOBS: records})
    study.close()
    monkeypatch.setattr(study.controller.__class__, "runs", lambda _: False)
    return None if trial is None else trial.number


def test_a_trial_that_lost_its_controllers_fails_after_its_last_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert claim_and_die(tmp_path, monkeypatch) == 0
    ended = sweep(tmp_path, FLOATS, square, num_trials=1, max_retries=2)
    assert ended.states == ["FAIL"] and ended.launcher.calls == []
    reason = "the worker was lost 3 times, the last: its controller was lost; sweep.max_retries=2"
    assert ended.trials[0].user_attrs["reason"] == reason
    assert [record.ending for record in records_of(ended.trials[0].user_attrs)] == ["lost"] * 3
    again = sweep(tmp_path, FLOATS, square, num_trials=1, max_retries=2, retry_failed=True)
    assert [trial.state.name for trial in again.trials] == ["FAIL", "COMPLETE"]
    assert again.trials[1].user_attrs["attempts"] == 4


def test_a_trial_with_one_attempt_left_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        assert claim_and_die(tmp_path, monkeypatch) == 0
    ended = sweep(tmp_path, FLOATS, square, num_trials=1, max_retries=2)
    assert ended.states == ["COMPLETE"] and ended.trials[0].user_attrs["attempts"] == 3


def test_lost_workers_add_to_those_of_earlier_controllers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(call: Call) -> float:
        raise WorkerLost("killed by SIGKILL")

    claim_and_die(tmp_path, monkeypatch)
    ended = sweep(tmp_path, FLOATS, dies, num_trials=1, max_retries=2)
    assert ended.states == ["FAIL"] and len(ended.launcher.calls) == 2
    reason = "the worker was lost 3 times, the last: killed by SIGKILL; sweep.max_retries=2"
    assert ended.trials[0].user_attrs["reason"] == reason


def test_a_failed_trial_that_is_run_again_has_all_its_attempts(tmp_path: Path) -> None:
    lost: list[int] = []

    def dies_thrice(call: Call) -> float:
        lost.append(call.link.number)
        if lost.count(call.link.number) <= (3 if call.link.number == 0 else 2):
            raise WorkerLost("killed")
        return 1.0

    first = sweep(tmp_path, FLOATS, dies_thrice, num_trials=1, max_retries=2)
    assert first.states == ["FAIL"]
    again = sweep(tmp_path, FLOATS, dies_thrice, num_trials=1, max_retries=2, retry_failed=True)
    assert again.states == ["FAIL", "COMPLETE"] and lost == [0, 0, 0, 1, 1, 1]
    assert again.trials[1].user_attrs["attempts"] == 6


def test_a_trial_that_was_given_back_uses_no_attempt(tmp_path: Path) -> None:
    for _ in range(4):
        study = open_study(tmp_path, FLOATS, num_trials=1)
        trial = study.claim()
        assert trial is not None
        study.configure(trial)
        stopped = JobRecord(0, study.controller.id, 5.0, 6.0, ending="stopped")
        study.set_attributes(trial, {JOBS: [*trial.user_attrs.get(JOBS, []), vars(stopped)]})
        study.give_back(trial)
        assert study.trials()[0].state == TrialState.WAITING
        study.close()
    assert sweep(tmp_path, FLOATS, square, num_trials=1, max_retries=0).states == ["COMPLETE"]
