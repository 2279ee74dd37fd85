"""Launchers of whole batches: what happens to the jobs of a batch that the launcher does not run to its end."""

from collections.abc import Sequence

import pytest
from hydra.core.utils import JobReturn, JobStatus

from sweeps.launchers.contract import WorkerLost
from sweeps.loop.batch_adapter import Batches
from sweeps.loop.interrupts import Interrupts


class FailingLauncher:
    """Stand-in for a launcher that fails at every batch, as joblib's does when a worker dies, and at the job x=3.

    Args:
        ctrl_c_at: the call during which the user presses Ctrl-C.
    """

    def __init__(self, interrupts: Interrupts, ctrl_c_at: int | None) -> None:
        self._interrupts, self._ctrl_c_at = interrupts, ctrl_c_at
        self.launched: list[list[str]] = []

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        if len(self.launched) == self._ctrl_c_at:
            self._interrupts.draining = True
        self.launched.append([overrides[0] for overrides in job_overrides])
        if len(job_overrides) > 1 or job_overrides[0] == ["x=3"]:
            raise RuntimeError("a worker died")
        return [JobReturn(status=JobStatus.COMPLETED)]


def test_the_jobs_of_a_failed_batch_run_one_by_one() -> None:
    interrupts = Interrupts(print)
    launcher = FailingLauncher(interrupts, None)
    batches = Batches(launcher, 3, interrupts)
    first, second, third = (batches.submit([f"x={num}"], num) for num in (1, 2, 3))
    batches.flush()
    assert launcher.launched == [["x=1", "x=2", "x=3"], ["x=1"], ["x=2"], ["x=3"]]
    assert first.result().status == second.result().status == JobStatus.COMPLETED
    with pytest.raises(WorkerLost, match="the launcher failed: RuntimeError: a worker died"):
        third.result()


@pytest.mark.parametrize(("ctrl_c_at", "launched"), [(0, [["x=1", "x=2"]]), (1, [["x=1", "x=2"], ["x=1"]])])
def test_after_ctrl_c_the_jobs_of_a_failed_batch_wait(ctrl_c_at: int, launched: list[list[str]]) -> None:
    """They are given back like those of a stopped sweep: none of them counts as lost."""
    interrupts = Interrupts(print)
    launcher = FailingLauncher(interrupts, ctrl_c_at)
    batches = Batches(launcher, 2, interrupts)
    futures = [batches.submit([f"x={num}"], num) for num in (1, 2)]
    with pytest.raises(KeyboardInterrupt):
        batches.flush()
    assert launcher.launched == launched
    assert not futures[1].done() and not interrupts.in_batch
