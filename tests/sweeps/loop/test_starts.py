"""Jobs that cannot start: they are tried again, no trial fails, and after the timeout the command ends."""

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import JobReturn
from loop_runs import FLOATS, NO_TRIAL, Call, ThreadLauncher, square, sweep

from sweeps.launchers.contract import StartFailed
from sweeps.loop.job_queue import JobQueue
from sweeps.loop.starts import SEVERAL, Starts
from sweeps.loop.trial_run import Job, TrialRun


class Clock:
    """A clock that a test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_failing_starts_and_their_recovery_are_each_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    starts = Starts(300)
    for _ in range(5):
        starts.failed("no process")
    for _ in range(2):
        starts.worked()
    message = "A job could not start (no process): it is tried again until it starts; its trial does not fail."
    assert [record.getMessage() for record in caplog.records] == [message, "Jobs start again."]


def test_several_failed_starts_in_a_row_are_a_problem_of_the_launcher() -> None:
    starts = Starts(300)
    for num in range(1, SEVERAL + 1):
        starts.failed("no process")
        assert starts.are_failing == (num == SEVERAL)
    starts.worked()
    assert not starts.are_failing


def test_starts_time_out_after_a_time_without_a_running_job() -> None:
    clock = Clock()
    starts = Starts(10, clock)
    for clock.now_s in (0, 4, 9):
        starts.failed("no process")
        assert not starts.have_timed_out
    starts.note_running(1)
    for clock.now_s in (12, 18.9):
        starts.failed("no process")
        starts.note_running(0)
        assert not starts.have_timed_out
    clock.now_s = 1000  # no start has been tried since
    assert not starts.have_timed_out
    starts.failed("no process")
    assert starts.have_timed_out
    starts.worked()
    assert not starts.have_timed_out


def test_a_paused_job_is_skipped_until_it_is_due() -> None:
    trial: Any = None
    run = TrialRun(trial, {}, [], Path(), None)
    one, two = (Job(run, 0, num, []) for num in range(2))
    clock = Clock()
    queue = JobQueue(clock)
    queue.add([one])
    queue.add_first(two, pause_s=4)
    assert queue.num_pausing == 1 and queue.pop_due() is one and queue.pop_due() is None
    clock.now_s = 4
    assert queue.num_pausing == 0 and queue.pop_due() is two and not len(queue)


class RefusingLauncher(ThreadLauncher):
    """Start a job only if `allows` permits it by its number and the number of tries."""

    allows: Callable[[int, int], bool]

    def __init__(self, task: Callable[[Call], Any], num_slots: int) -> None:
        super().__init__(task, num_slots)
        self.tried: list[int] = []

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        self.tried.append(job_num)
        if type(self).allows(job_num, self.tried.count(job_num)):
            return super().submit(overrides, job_num)
        future: Future[JobReturn] = Future()
        future.set_exception(StartFailed("sbatch: error: Slurm controller not responding"))
        return future

    def slot_of(self, job_num: int) -> str | None:
        return "thread" if any(call.link.number == job_num for call in self.calls) else None


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int, int], bool]], None]:
    """Have sweeps use a launcher that starts what is allowed."""

    def refuse(allows: Callable[[int, int], bool]) -> None:
        monkeypatch.setattr("loop_runs.ThreadLauncher", type("Refusing", (RefusingLauncher,), {"allows": allows}))
        monkeypatch.setattr("sweeps.loop.loop.TICK_S", 0.01)

    return refuse


def test_an_outage_fails_no_trial_and_draws_no_more_than_fill_the_slots(
    refuse: Callable[[Callable[[int, int], bool]], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As with an sbatch that refuses: until it accepts jobs again, only the trials that fill the slots are drawn."""
    most_claimed: list[int] = []

    def allows(number: int, tries: int) -> bool:
        most_claimed.append(number)
        return len(most_claimed) > 40

    refuse(allows)
    caplog.set_level(logging.WARNING, "sweeps")
    ended = sweep(tmp_path, FLOATS, square, num_trials=50, num_slots=2, max_retries=0)
    assert ended.states == ["COMPLETE"] * 50
    assert set(most_claimed[:40]) == {0, 1}
    assert [trial.user_attrs["attempts"] for trial in ended.trials] == [1] * 50
    assert [r.getMessage() for r in caplog.records if "start" in r.getMessage()] == [
        "A job could not start (sbatch: error: Slurm controller not responding): it is tried again until it starts; "
        "its trial does not fail.",
        "Jobs start again.",
    ]


def test_a_single_job_that_cannot_start_holds_up_no_other(
    refuse: Callable[[Callable[[int, int], bool]], None], tmp_path: Path
) -> None:
    refuse(lambda number, tries: number != 1 or tries > 7)
    ended = sweep(tmp_path, FLOATS, square, num_trials=6, num_slots=2, max_retries=0)
    assert ended.states == ["COMPLETE"] * 6
    assert ended.trials[1].user_attrs["attempts"] == 1 and len(ended.trials[1].user_attrs["jobs"]) == 1


def test_an_outage_that_lasts_ends_the_command_and_the_same_command_resumes(
    refuse: Callable[[Callable[[int, int], bool]], None], tmp_path: Path
) -> None:
    refuse(lambda number, tries: False)
    for _ in range(3):
        ended = sweep(tmp_path, FLOATS, square, num_trials=5, max_retries=0, start_timeout_s=0.2)
        assert ended.loop.starts.have_timed_out and ended.loop.num_failures == 0
        assert ended.loop.starts.last_reason == "sbatch: error: Slurm controller not responding"
        assert ended.states == ["WAITING"] * 2
        assert [trial.user_attrs["jobs"] for trial in ended.trials] == [[], []]
    refuse(lambda number, tries: True)
    assert sweep(tmp_path, FLOATS, square, num_trials=5, max_retries=0).states == ["COMPLETE"] * 5


def test_final_runs_wait_for_their_start_too(
    refuse: Callable[[Callable[[int, int], bool]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.loop.final_runs.TICK_S", 0.01)
    refuse(lambda number, tries: tries == 1 or tries > 5)
    options: dict[str, Any] = {"search_overrides": ["score_test=false"], "sampler": "random", "max_retries": 0}
    ended = sweep(tmp_path, {"x": [4]}, square, num_trials=1, **options)
    assert ended.loop.is_finished and "could not be run" not in ended.output
    refuse(lambda number, tries: tries == 1)
    ended = sweep(tmp_path / "new", {"x": [4]}, square, num_trials=1, start_timeout_s=0.1, **options)
    assert ended.loop.starts.have_timed_out and not ended.loop.is_finished
    assert ended.states == ["COMPLETE"]


class OneAtOnce(ThreadLauncher):
    """Accept one job at a time, as SLURM does with a limit for each user."""

    def __init__(self, task: Callable[[Call], Any], num_slots: int) -> None:
        super().__init__(task, num_slots)
        self.accepted: tuple[int, Future[JobReturn]] | None = None
        self.num_refused = 0
        self.has_refused_often = threading.Event()

    def submit(self, overrides: Sequence[str], job_num: int) -> "Future[JobReturn]":
        if self.accepted is None or self.accepted[1].done():
            self.accepted = job_num, super().submit(overrides, job_num)
            return self.accepted[1]
        self.num_refused += 1
        if self.num_refused == 9:
            self.has_refused_often.set()
        future: Future[JobReturn] = Future()
        future.set_exception(StartFailed("QOSMaxSubmitJobPerUserLimit"))
        return future

    def slot_of(self, job_num: int) -> str | None:
        return "thread" if self.accepted and self.accepted[0] == job_num else None


def test_a_final_run_that_cannot_start_does_not_end_the_command_while_another_one_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[OneAtOnce] = []

    class Noted(OneAtOnce):
        def __init__(self, task: Callable[[Call], Any], num_slots: int) -> None:
            super().__init__(task, num_slots)
            made.append(self)

    def task(call: Call) -> float:
        if call.link is NO_TRIAL and call.folder.name == "seed-0":
            made[0].has_refused_often.wait(10)
        return square(call)

    clock = itertools.count(0, 100)  # each look at it is 100 s later
    monkeypatch.setattr("loop_runs.ThreadLauncher", Noted)
    monkeypatch.setattr("sweeps.loop.loop.Starts", lambda timeout_s: Starts(timeout_s, lambda: next(clock)))
    options: dict[str, Any] = {"search_overrides": ["score_test=false"], "sampler": "random", "seeds": 2}
    ended = sweep(tmp_path, {"x": [4]}, task, num_trials=1, num_slots=1, **options)
    assert made[0].num_refused >= 9 and not ended.loop.starts.have_timed_out and ended.loop.is_finished
