"""Tests that every streaming launcher passes, with real processes; a launcher's own test file fills in `make`."""

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest
from commands import without_product_configs
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobStatus
from hydra.version import VersionBase
from launcher_runs import launcher_on, task, texts_of
from omegaconf import DictConfig
from packaging.version import Version
from waiting import PATIENCE_S, await_that

from sweeps.launchers.contract import JobTimeout, StartFailed, StreamingLauncher, WorkerLost
from sweeps.launchers.reply import NotPlainError

Make = Callable[..., StreamingLauncher]


REFUSED = "nothing can be started now"


def refuse(*_: Any, **__: Any) -> Any:
    """Refuse to start a process."""
    raise BlockingIOError(errno.EAGAIN, REFUSED)


class NotPicklableError(Exception):
    """Pickles, but does not unpickle."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} {two}")


class LauncherTests:
    """Subclasses give `name` (of hydra/launcher) and `options` for two slots on this machine's CPU."""

    name = ""
    options: dict[str, Any] = {}  # noqa: RUF012  # nobody changes it

    @pytest.fixture
    def make(self, tmp_path: Path, hydra_restore_singletons: None) -> Iterator[Make]:
        launchers: list[StreamingLauncher] = []

        def make(function: Callable[[DictConfig], Any] = task, **options: Any) -> StreamingLauncher:
            launchers.append(launcher_on(tmp_path, self.name, function, self.options | options))
            return launchers[-1]

        with without_product_configs():
            yield make
        for launcher in launchers:
            launcher.shutdown(wait=False)


class HydrasOwnTests:
    """To be inherited before one of Hydra's suites, which expect the defaults of Hydra 1.1 and a clean state."""

    @pytest.fixture(autouse=True)
    def _as_hydra_runs_them(self, hydra_restore_singletons: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        VersionBase.instance().setbase(Version("1.1"))
        # Hydra's integration tests start programs elsewhere.
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
        with without_product_configs():
            yield


class LauncherContract(LauncherTests):
    """Subclasses also give the reason of WorkerLost after SIGKILL, and a time limit long enough to start a process.

    `refuse_starts` keeps the launcher from starting a job while a test's patch holds.
    """

    died = "SIGKILL"
    limit_s = 4

    def refuse_starts(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        raise NotImplementedError

    def test_a_job_that_cannot_start_is_lost_and_the_next_one_runs_once_it_can(
        self, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        launcher = make()
        with monkeypatch.context() as patch:
            self.refuse_starts(patch, tmp_path)
            futures = [launcher.submit([f"x={i}"], i) for i in range(3)]
            errors = [future.exception(60) for future in futures]
            assert [type(error) for error in errors] == [StartFailed] * 3
            assert all(REFUSED in str(error) for error in errors)
            assert [launcher.slot_of(i) for i in range(3)] == [None] * 3
        # The same job again, as a sweep submits it.
        assert launcher.submit(["x=2"], 0).result(60).return_value == 4
        assert launcher.slot_of(0) is not None

    @pytest.mark.slow
    def test_a_job_returns_what_hydra_returns(self, make: Make, tmp_path: Path) -> None:
        returned = make().submit(["x=3"], 7).result(PATIENCE_S)
        assert returned.return_value == 9
        assert returned.status == JobStatus.COMPLETED
        assert returned.overrides == ["x=3"]
        assert returned.cfg is not None and returned.cfg.x == 3
        assert returned.hydra_cfg is not None and returned.hydra_cfg.hydra.job.num == 7
        assert (tmp_path / "7").is_dir()

    def test_more_jobs_than_slots_each_give_their_own_result(self, make: Make) -> None:
        launcher = make()
        futures = [launcher.submit([f"x={i}"], i) for i in range(3 * launcher.num_slots)]
        assert [future.result(PATIENCE_S).return_value for future in futures] == [i * i for i in range(len(futures))]

    @pytest.mark.slow
    def test_a_short_job_does_not_wait_for_a_long_one(self, make: Make) -> None:
        """A short job returns its result and frees its slot for a third one, while a long job still runs."""
        launcher = make()
        long = launcher.submit(["x=0", "do=wait"], 0)
        assert launcher.submit(["x=2"], 1).result(PATIENCE_S).return_value == 4
        assert launcher.submit(["x=3"], 2).result(PATIENCE_S).return_value == 9
        assert not long.done()

    def test_jobs_run_in_parallel_on_known_slots(self, make: Make, tmp_path: Path) -> None:
        launcher = make()
        futures = [launcher.submit([f"x={i}", "do=meet"], i) for i in range(2)]
        assert sorted(future.result(PATIENCE_S).return_value for future in futures) == [0, 1]
        slots = {launcher.slot_of(0), launcher.slot_of(1)}
        assert None not in slots and len(slots) == 2
        assert launcher.slot_of(99) is None

    def test_an_exception_is_in_the_return_with_its_traceback(self, make: Make) -> None:
        returned = make().submit(["do=raise"], 0).result(PATIENCE_S)
        assert returned.status == JobStatus.FAILED
        with pytest.raises(ArithmeticError, match="as asked") as caught:
            _ = returned.return_value
        assert "in task" in str(caught.value.__cause__)

    @pytest.mark.slow
    def test_an_exception_that_does_not_pickle_is_reported_by_its_traceback(self, make: Make) -> None:
        def job(config: DictConfig) -> None:
            raise NotPicklableError(1, 2)

        returned = make(job).submit([], 0).result(PATIENCE_S)
        with pytest.raises(RuntimeError, match="NotPicklableError: 1 2"):
            _ = returned.return_value

    @pytest.mark.slow
    def test_a_result_that_is_not_a_plain_value_fails_the_job(self, make: Make) -> None:
        returned = make(lambda config: [1.0, threading.Lock()]).submit([], 0).result(PATIENCE_S)
        with pytest.raises(NotPlainError, match=r"^the task returned a value of type lock, but must return a number$"):
            _ = returned.return_value

    def test_overrides_that_do_not_compose_are_an_error_of_the_future(self, make: Make) -> None:
        launcher = make()
        error = launcher.submit(["no_such_key=1"], 0).exception(PATIENCE_S)
        assert error is not None and not isinstance(error, WorkerLost)
        assert "no_such_key" in str(error)
        assert launcher.submit(["x=2"], 1).result(PATIENCE_S).return_value == 4

    def test_a_killed_worker_is_lost_and_the_next_job_runs(self, make: Make) -> None:
        launcher = make()
        error = launcher.submit(["do=die"], 0).exception(PATIENCE_S)
        assert isinstance(error, WorkerLost)
        assert self.died in error.reason
        assert launcher.submit(["x=2"], 1).result(PATIENCE_S).return_value == 4

    def test_a_lost_worker_does_not_affect_other_jobs(self, make: Make) -> None:
        launcher = make()
        futures = [launcher.submit([f"x={i}", f"do={'die' if i == 1 else 'square'}"], i) for i in range(4)]
        wait(futures, PATIENCE_S)
        assert isinstance(futures[1].exception(), WorkerLost)
        assert [futures[i].result().return_value for i in (0, 2, 3)] == [0, 4, 9]

    def test_a_time_limit_ends_the_job_alone(self, make: Make, tmp_path: Path) -> None:
        launcher = make(time_limit_s=self.limit_s)
        futures = [launcher.submit(["x=2", "do=wait"], 0), launcher.submit(["x=3"], 1)]
        assert futures[1].result(PATIENCE_S).return_value == 9
        error = futures[0].exception(PATIENCE_S)
        assert isinstance(error, JobTimeout)
        assert f"{self.limit_s} s" in error.reason
        assert_gone({int((tmp_path / "0" / "pid").read_text())})

    def test_each_job_has_its_own_environment(self, make: Make) -> None:
        launcher = make(lambda config: os.environ.get("OF_THE_JOB"))
        futures = [launcher.submit([f"++hydra.job.env_set.OF_THE_JOB=v{i}"] if i else [], i) for i in range(3)]
        assert [future.result(PATIENCE_S).return_value for future in futures] == [None, "v1", "v2"]

    def test_launch_is_submit_then_gather(
        self, make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sweeps.launchers.contract.configure_log", lambda *_given: None)  # caplog stays
        caplog.set_level("INFO")
        returned = make().launch([["x=1"], ["do=die"], ["x=3"]], initial_job_idx=4)
        assert [r.status for r in returned] == [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.COMPLETED]
        assert [r.return_value for r in (returned[0], returned[2])] == [1, 9]
        assert returned[2].hydra_cfg is not None and returned[2].hydra_cfg.hydra.job.num == 6
        ended = [message for message in caplog.messages if " ended " in message]
        assert ended == [f"\t#4 ended with 1: {tmp_path / '4'}", f"\t#6 ended with 9: {tmp_path / '6'}"]
        with pytest.raises(WorkerLost):
            _ = returned[1].return_value

    def test_a_task_that_cannot_be_loaded_reports_why(self, make: Make) -> None:
        class Broken:
            def __reduce__(self) -> Any:
                return signal.Signals, (12345,)

            def __call__(self, config: DictConfig) -> None: ...

        error = make(Broken()).submit([], 0).exception(PATIENCE_S)
        assert "12345" in str(error)

    def test_shutdown_waits_for_submitted_jobs_and_leaves_no_process(self, make: Make) -> None:
        launcher = make(lambda config: (time.sleep(0.1), os.getpid())[1])
        futures = [launcher.submit([], i) for i in range(4)]
        launcher.shutdown(wait=True)
        assert_gone({future.result(0).return_value for future in futures})
        with pytest.raises(RuntimeError, match="shut down"):
            launcher.submit([], 9)

    @pytest.mark.slow
    def test_shutdown_at_once_cancels_jobs_and_leaves_no_process(self, make: Make, tmp_path: Path) -> None:
        launcher = make()
        futures = [launcher.submit([f"x={i}", "do=wait"], i) for i in range(3)]
        pids = started_pids(tmp_path, 2)
        launcher.shutdown(wait=False)
        wait(futures, PATIENCE_S)
        assert [isinstance(future.exception(), WorkerLost) for future in futures[:2]] == [True, True]
        assert futures[2].cancelled()
        assert_gone(pids)

    @pytest.mark.slow
    def test_a_waiting_job_can_be_cancelled(self, make: Make, tmp_path: Path) -> None:
        launcher = make()
        futures = [launcher.submit([f"x={i}", "do=wait"], i) for i in range(2)]
        started_pids(tmp_path, 2)
        last = launcher.submit(["x=5"], 5)
        assert last.cancel()
        (tmp_path / "go").touch()
        assert [future.result(PATIENCE_S).return_value for future in futures] == [0, 1]
        assert not (tmp_path / "5").exists()

    @pytest.mark.slow
    def test_hydra_config_is_available_in_the_job(self, make: Make) -> None:
        launcher = make(lambda config: HydraConfig.get().job.num)
        assert launcher.submit([], 3).result(PATIENCE_S).return_value == 3


def started_pids(folder: Path, num_jobs: int) -> set[int]:
    """Wait until some jobs of `launcher_runs.task` have written their process ids."""
    return {int(pid) for pid in texts_of(folder, "*/pid", num_jobs)}


def assert_gone(pids: set[int]) -> None:
    await_that(lambda: not any(map(is_alive, pids)))


def is_alive(pid: int) -> bool:
    """Zombies count as alive: their parent has to wait for them."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
