"""The job records of a study: every start, its slot, how it ended, and the time of all jobs."""

import itertools
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from loop_runs import Call, Sweep, Tally, open_study, sweep

from sweeps.export import study_table
from sweeps.launchers.contract import WorkerLost
from sweeps.loop.job_recorder import JobRecorder
from sweeps.storage.connect import open_storage
from sweeps.study.attributes import JOBS
from sweeps.study.job_records import JobRecord, begin_record, close_left, records_of, seconds_of

SPACE = {"x": {"low": 0.0, "high": 1.0}}


def records(ended: Sweep, number: int = 0) -> list[JobRecord]:
    return records_of(ended.trials[number].user_attrs)


def test_each_start_of_each_seed_is_recorded(tmp_path: Path) -> None:
    starts = Tally()

    def task(call: Call) -> float:
        if starts.add(1) == 2:
            raise WorkerLost("killed by SIGKILL")
        return 1.0

    found = records(sweep(tmp_path, SPACE, task, num_trials=1, num_slots=1, seeds=2))
    recorded = [(record.seed_index, record.ending, record.reason, record.slot) for record in found]
    lost = (1, "lost", "killed by SIGKILL", "thread")
    assert recorded == [(0, "done", "", "thread"), lost, (1, "done", "", "thread")]
    ends = [(record.began_s, record.ended_s) for record in found]
    assert all(began <= (ended or 0) <= after for (began, ended), (after, _) in itertools.pairwise(ends))


def test_the_end_of_jobs_is_recorded_for_trials_without_a_score(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        raise ArithmeticError("as asked")

    (record,) = records(sweep(tmp_path, SPACE, task, num_trials=1))
    assert (record.ending, record.reason) == ("failed", "ArithmeticError: as asked")


@pytest.mark.parametrize(("ran_s", "seconds"), [(30.0, 30.0), (None, 0.0)])
def test_a_clock_that_was_set_back_makes_no_negative_time(
    ran_s: float | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    record = begin_record(0, "a")
    monkeypatch.setattr(time, "time", lambda: 400.0)
    record.end("done", "", None, ran_s)
    assert seconds_of({"jobs": [vars(record)]}) == seconds


def test_the_duration_of_a_trial_is_that_of_its_jobs(tmp_path: Path) -> None:
    """Two seeds in one slot, the second a day later: their own time counts, the pause does not."""
    ended = sweep(tmp_path, SPACE, lambda call: 1.0, num_trials=1, seeds=2)
    jobs = [
        JobRecord(0, "a", 0.0, 10.0, ending="lost"),
        JobRecord(0, "b", 90.0, 93.0),
        JobRecord(1, "b", 86_400.0, 86_405.5),
    ]
    assert seconds_of({"jobs": [vars(job) for job in jobs]}) == 18.5
    assert seconds_of({"jobs": [vars(JobRecord(0, "a", 0.0))]}) is None is seconds_of({})
    open_storage.cache_clear()
    (row,) = study_table(str(tmp_path)).to_dict("records")
    assert row["seconds"] == seconds_of(ended.trials[0].user_attrs)


def test_jobs_of_a_dead_controller_end_at_its_last_heartbeat() -> None:
    jobs = [
        JobRecord(0, "dead", 100.0, 120.0, "a", "done"),
        JobRecord(1, "dead", 120.0),
        JobRecord(2, "unknown", 130.0),
    ]
    close_left(jobs, {"controller:dead": {"beat": 150.0}})
    assert [(record.ending, record.ended_s) for record in jobs] == [
        ("done", 120.0),
        ("lost", 150.0),
        ("lost", 130.0),
    ]
    assert jobs[1].reason == "its controller was lost"


def test_a_trial_that_is_taken_over_keeps_its_job_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = open_study(tmp_path, SPACE, num_trials=1)
    trial = study.claim()
    assert trial is not None
    study.configure(trial)
    study.set_attributes(trial, {JOBS: [vars(JobRecord(0, study.controller.id, 5.0, slot="a"))]})
    monkeypatch.setattr(study.controller.__class__, "runs", lambda _: False)
    study.close()
    lost, done = records(sweep(tmp_path, SPACE, lambda call: 1.0, num_trials=1))
    assert (lost.ending, lost.slot, lost.controller) == ("lost", "a", study.controller.id)
    assert done.ending == "done" and done.controller != lost.controller


def test_a_job_begins_when_it_has_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    record = begin_record(0, "me")
    monkeypatch.setattr("sweeps.study.job_records._now_s", lambda: record.began_s + 50)
    waits = record.began_s
    record.place(None)
    assert record.began_s == waits + 50 and record.slot is None
    record.place("a")
    assert record.began_s == waits + 50 and record.slot == "a"


@pytest.mark.parametrize(("ran_s", "counted_s"), [(4.0, 4.0), (60.0, 50.0), (None, 50.0)])
def test_time_in_the_queue_of_a_cluster_is_not_time_of_the_trial(
    ran_s: float | None, counted_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the job measured how long it ran; a longer time than from its submission to its end is a clock's mistake."""
    record = begin_record(0, "me")
    monkeypatch.setattr("sweeps.study.job_records._now_s", lambda: record.began_s + 50)
    record.end("done", "", "slurm/0 on job 1", ran_s)
    assert seconds_of({JOBS: [vars(record)]}) == pytest.approx(counted_s, abs=2e-3)


def test_the_loop_asks_the_launcher_how_long_a_job_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loop_runs.ThreadLauncher.ran_s", lambda *_: 0.0)
    ended = sweep(tmp_path, SPACE, lambda call: 1.0, num_trials=1)
    assert seconds_of(ended.trials[0].user_attrs) == 0.0


def test_a_running_job_is_recorded_with_its_slot(tmp_path: Path) -> None:
    """The study has the slot of a job before it ends, and the number of jobs that can run at once."""
    placed, seen = threading.Event(), []
    place = JobRecorder.place

    def place_and_look(log: JobRecorder, job: Any) -> None:
        place(log, job)
        seen.append(log._study.trials()[0].user_attrs["jobs"])
        placed.set()

    def task(call: Call) -> float:
        assert placed.wait(300)
        return 1.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobRecorder, "place", place_and_look)
        ended = sweep(tmp_path, SPACE, task, num_trials=1, num_slots=3)
    (job,) = seen[0]
    assert (job["slot"], job["ending"], job["ended_s"]) == ("thread", "", None)
    assert [value for name, value in ended.study.study.user_attrs.items() if name.startswith("slots:")] == [3]
