"""The time of a SLURM job, and its limit, are over all its starts, without the queue. Here the cluster is a list.

The system may have no answer for a moment.
"""

import errno
import itertools
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.utils import JobReturn, JobStatus

from sweeps.launchers import slurm
from sweeps.launchers.contract import JobTimeout, WorkerLost
from sweeps.launchers.pool import Limits, SlotPool
from sweeps.launchers.reply import Reply
from sweeps.launchers.slots import Device, Slot
from sweeps.launchers.slurm import SlurmWorker

WAITS, RUNS = "PENDING", "RUNNING"


class Cluster:
    """A job's state at each second, of a clock that stands still until somebody sleeps."""

    job_id = "1"

    def __init__(self, states: list[str], folder: Path) -> None:
        self.states, self.now_s = states, 0.0
        self.paths = SimpleNamespace(result_pickle=folder / "absent", stderr=folder / "log")
        self.state = "COMPLETED"

    def done(self) -> bool:
        return self.now_s >= len(self.states)

    def get_info(self, mode: str) -> dict[str, str]:
        return {"State": self.states[int(self.now_s)]}

    def cancel(self, _job: Any) -> None:
        self.states = self.states[: int(self.now_s)]

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Worker(SlurmWorker):
    """Its job is there already."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(lambda _job: cluster, cluster.cancel, b"", show_output=False, poll_s=1.0)

    def _submitted(self, job: Any) -> Any:
        return self._submit(job)


def ended_at(states: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """When a job whose limit is 10 s ends, and that it ends by the limit only if it is cancelled."""
    cluster = Cluster(states, folder)
    monkeypatch.setattr(slurm, "time", cluster)
    with pytest.raises(WorkerLost) as lost:
        Worker(cluster).run([], 0, time_limit_s=10.0, grace_s=0)
    is_cut = len(cluster.states) < len(states)
    assert isinstance(lost.value, JobTimeout) == is_cut
    return float(len(cluster.states))


def test_time_in_the_queue_after_a_requeue_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = [*[WAITS] * 20, *[RUNS] * 4, *[WAITS] * 50, *[RUNS] * 4]
    assert ended_at(states, tmp_path, monkeypatch) == len(states)


@pytest.mark.parametrize("between", [0, 5, 50])
def test_all_starts_together_have_the_limit(between: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = list(itertools.chain([WAITS] * 3, [RUNS] * 6, [WAITS] * between, [RUNS] * 40))
    assert ended_at(states, tmp_path, monkeypatch) == pytest.approx(3 + 10 + between, abs=2)


class Answering(Cluster):
    """Its job ends well, and says that it ran for the seconds in which it did."""

    def __init__(self, states: list[str], folder: Path) -> None:
        super().__init__(states, folder)
        self.paths.result_pickle.touch()

    def exception(self) -> None: ...

    def result(self) -> bytes:
        reply = Reply.of_return(JobReturn(status=JobStatus.COMPLETED, _return_value=1.0))
        reply.ran_s = float(self.states.count(RUNS))
        return reply.pack()


def test_a_job_says_how_long_it_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Answering([*[WAITS] * 20, *[RUNS] * 4, *[WAITS] * 50, *[RUNS] * 3], tmp_path)
    monkeypatch.setattr(slurm, "time", cluster)
    pool = SlotPool([Slot("slurm/0", Device("slurm/0"), 1)], lambda _slot, _alone: Worker(cluster), Limits())
    try:
        assert pool.submit([], 5).result(300).return_value == 1.0
        assert (pool.slot_of(5), pool.ran_s(5), pool.ran_s(6)) == ("slurm/0 on job 1", 7.0, None)
    finally:
        pool.close(wait=True)


class Refusing(Answering):
    """At some seconds, no file can be opened."""

    def __init__(self, seconds: set[int], folder: Path) -> None:
        super().__init__([RUNS] * 7, folder)
        self.seconds = seconds

    def done(self) -> bool:
        if self.now_s in self.seconds:
            raise too_many_files()
        return super().done()


def too_many_files() -> OSError:
    return OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize(("seconds", "num_warnings"), [({0, 1, 2}, 1), ({0, 1, 4, 5}, 2)])
def test_a_job_whose_state_cannot_be_found_out_is_asked_for_again(
    seconds: set[int],
    num_warnings: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With one warning until the system answers again, not one at each poll."""
    cluster = Refusing(seconds, tmp_path)
    monkeypatch.setattr(slurm, "time", cluster)
    reply = Worker(cluster).run([], 0)
    assert reply.job_return is not None and reply.job_return.return_value == 1.0
    assert caplog.text.count("Whether job 1 has ended cannot be found out, so it is asked again") == num_warnings


class Unreadable(Answering):
    """No file can be opened once the job has ended, and perhaps not even be looked for."""

    def __init__(self, states: list[str], folder: Path, *, is_found: bool) -> None:
        super().__init__(states, folder)
        if not is_found:
            self.paths.result_pickle = SimpleNamespace(exists=self.exception)

    def exception(self) -> None:
        raise too_many_files()


@pytest.mark.parametrize("is_found", [True, False])
def test_a_job_whose_result_cannot_be_read_is_lost(
    is_found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Unreadable([RUNS] * 3, tmp_path, is_found=is_found)
    monkeypatch.setattr(slurm, "time", cluster)
    with pytest.raises(WorkerLost, match=r"the result of job 1 cannot be read: .*Too many open files"):
        Worker(cluster).run([], 0, time_limit_s=1.0, grace_s=0)
