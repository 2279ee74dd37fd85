"""Properties of a local worker beyond the contract: it is reused, has limits, and always ends."""

import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import suppress
from pathlib import Path

import pytest
from launcher_contract import LauncherTests, Make, assert_gone, refuse, started_pids
from launcher_runs import TWO_WORKERS, own_folder, texts_of, write_text
from omegaconf import DictConfig
from waiting import PATIENCE_S, await_that

from sweeps.launchers.contract import JobTimeout, StartFailed, WorkerLost
from sweeps.launchers.local_worker import LocalWorker
from sweeps.launchers.reply import Reply
from sweeps.launchers.worker_main import Settings
from sweeps.loop.outcome import outcome_of


class TestWorkers(LauncherTests):
    name = "local"
    options = TWO_WORKERS

    def test_a_worker_is_kept_and_another_starts_only_when_needed(self, make: Make) -> None:
        launcher = make(lambda config: os.getpid())
        pids = {launcher.submit([], i).result(PATIENCE_S).return_value for i in range(4)}
        assert len(pids) == 1
        assert pids <= worker_processes()

    @pytest.mark.slow
    def test_an_ended_job_is_freed_from_memory(self, make: Make) -> None:
        """A JobReturn holds both configs of its job; those of thousands of jobs would fill the memory."""
        launcher = make(jobs_per_device=1)
        future = launcher.submit(["x=2"], 0)
        kept = [weakref.ref(future.result(PATIENCE_S)), weakref.ref(future)]
        del future
        await_that(lambda: not any(reference() for reference in kept))
        assert launcher.slot_of(0) == "cpu"

    def test_its_environment_is_set_before_anything_is_imported(self, make: Make) -> None:
        class AtImport:
            def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
                return seen_at_import, ()

            def __call__(self, config: DictConfig) -> None: ...

        seen = make(AtImport(), threads_per_job=3).submit([], 0).result(PATIENCE_S).return_value
        assert seen == {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "3", "torch": False}

    @pytest.mark.slow
    def test_a_job_that_changes_folder_does_not_move_the_next(self, make: Make) -> None:
        def job(config: DictConfig) -> str:
            here = str(Path.cwd())
            os.chdir("/")
            return here

        launcher = make(job, jobs_per_device=1)
        assert {launcher.submit([], i).result(PATIENCE_S).return_value for i in range(2)} == {str(Path.cwd())}

    @pytest.mark.slow
    def test_a_time_limit_ends_the_job_and_what_it_started(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            child = subprocess.Popen(["sleep", "600"])
            write_text(own_folder() / "pid", f"{os.getpid()} {child.pid}")
            time.sleep(600)

        launcher = make(job, time_limit_s=3)
        error = launcher.submit([], 0).exception(PATIENCE_S)
        assert isinstance(error, JobTimeout)
        assert "3 s" in error.reason
        assert_gone({int(pid) for pid in texts_of(tmp_path, "*/pid", 1)[0].split()})

    @pytest.mark.slow
    def test_a_job_deaf_to_sigterm_is_killed_after_grace(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            signal.signal(signal.SIGTERM, lambda *_: write_text(own_folder() / "heard", "term"))
            write_text(own_folder() / "pid", str(os.getpid()))
            while True:
                time.sleep(1)

        error = make(job, time_limit_s=3, grace_s=1).submit([], 0).exception(PATIENCE_S)
        assert isinstance(error, JobTimeout)
        assert texts_of(tmp_path, "*/heard", 1) == ["term"]
        assert_gone(started_pids(tmp_path, 1))

    @pytest.mark.parametrize(
        ("end", "reason"),
        [
            (lambda: sys.exit(3), "exit code 3"),
            pytest.param(lambda: os._exit(0), "exit code 0", marks=pytest.mark.slow),
            (os.abort, "SIGABRT"),
            pytest.param(lambda: os.kill(os.getpid(), signal.SIGTERM), "SIGTERM", marks=pytest.mark.slow),
        ],
    )
    def test_each_cause_of_death_is_reported(self, make: Make, end: Callable[[], None], reason: str) -> None:
        error = make(lambda config: end()).submit([], 0).exception(PATIENCE_S)
        assert isinstance(error, WorkerLost)
        assert reason in error.reason

    def test_the_death_of_a_worker_is_noticed_if_a_child_outlives_it(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            if (child := os.fork()) == 0:
                time.sleep(600)
            write_text(own_folder() / "pid", str(child))
            os._exit(5)

        error = make(job).submit([], 0).exception(PATIENCE_S)
        assert "exit code 5" in str(error)
        assert_gone(started_pids(tmp_path, 1))

    def test_a_memory_limit_raises_an_exception_in_the_job(self, make: Make) -> None:
        def job(config: DictConfig) -> int:
            return len(bytearray(config.x * 2**20))

        launcher = make(job, memory_limit_gb=2, jobs_per_device=1)
        with pytest.raises(MemoryError):
            _ = launcher.submit(["x=4096"], 0).result(PATIENCE_S).return_value
        assert launcher.submit(["x=16"], 1).result(PATIENCE_S).return_value == 16 * 2**20

    def test_an_idle_worker_that_died_is_replaced_unnoticed(self, make: Make) -> None:
        before, launcher = worker_processes(), make(jobs_per_device=1)
        assert launcher.submit(["x=2"], 0).result(PATIENCE_S).return_value == 4
        (pid,) = worker_processes() - before
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # until all of its threads have ended too
        assert launcher.submit(["x=3"], 1).result(PATIENCE_S).return_value == 9

    @pytest.mark.slow
    @pytest.mark.parametrize("error", [OSError("no such disk"), TimeoutError("no answer")])
    def test_a_task_that_fails_to_load_reports_the_error_of_the_system(self, make: Make, error: OSError) -> None:
        """From a dead worker, the same errors mean that it was lost."""

        class Broken:
            def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
                return fail_with, (error,)

            def __call__(self, config: DictConfig) -> None: ...

        before, launcher = worker_processes(), make(Broken(), jobs_per_device=1)
        for number in range(2):
            raised = launcher.submit([], number).exception(PATIENCE_S)
            assert type(raised) is type(error) and str(raised) == str(error)
            assert worker_processes() == before

    def test_a_worker_that_dies_while_it_starts_has_not_started(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sweeps.launchers.local_worker.START", "raise SystemExit('no thread')")
        error = make().submit([], 0).exception(PATIENCE_S)
        assert isinstance(error, StartFailed)
        assert error.reason == "worker ended with exit code 1 while it started: no thread"

    def test_a_task_that_ends_its_worker_while_it_loads_is_a_lost_worker(self, make: Make) -> None:
        """The task causes it, so that waiting does not help."""

        class Deadly:
            def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
                return os._exit, (5,)

            def __call__(self, config: DictConfig) -> None: ...

        error = make(Deadly()).submit([], 0).exception(PATIENCE_S)
        assert type(error) is WorkerLost and "exit code 5" in error.reason

    def test_a_worker_that_does_not_start_is_given_up(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sweeps.launchers.local_worker.START", "import time; time.sleep(3600)")
        before = worker_processes()
        error = make(load_timeout_s=0.2, grace_s=0.1).submit([], 0).exception(PATIENCE_S)
        assert isinstance(error, StartFailed)
        assert error.reason == "worker did not start within 0.2 s (hydra.launcher.load_timeout_s)"
        assert worker_processes() == before

    def test_a_worker_that_does_not_load_its_task_is_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The task may cause it, so that it counts as an attempt."""
        greeting = "from multiprocessing.connection import Connection; c = Connection({socket}); c.send_bytes(b'here')"
        monkeypatch.setattr("sweeps.launchers.local_worker.START", f"import time; {greeting}; time.sleep(3600)")
        worker = LocalWorker({}, Settings([]), b"task", load_timeout_s=0.2)
        assert worker._connection.poll(PATIENCE_S)
        with pytest.raises(WorkerLost, match=r"^worker did not load the task within 0\.2 s") as lost:
            worker.run([], 0, grace_s=0.1)
        assert type(lost.value) is WorkerLost and not worker.alive

    @pytest.mark.slow
    def test_a_lost_worker_without_a_successor_is_reported_as_lost(
        self, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        launcher = make(jobs_per_device=1)
        future = launcher.submit(["do=wait"], 0)
        (pid,) = started_pids(tmp_path, 1)
        with monkeypatch.context() as patch:
            patch.setattr("sweeps.launchers.local_worker.subprocess.Popen", refuse)
            os.kill(pid, signal.SIGKILL)
            error = future.exception(PATIENCE_S)
        assert type(error) is WorkerLost and "SIGKILL" in error.reason
        assert launcher.submit(["x=3"], 1).result(PATIENCE_S).return_value == 9

    def test_failed_starts_leave_no_file_open(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        launcher = make(jobs_per_device=1)
        monkeypatch.setattr("sweeps.launchers.local_worker.subprocess.Popen", refuse)
        assert isinstance(launcher.submit([], 0).exception(PATIENCE_S), StartFailed)
        before = len(list(Path("/proc/self/fd").iterdir()))
        for number in range(1, 20):
            assert isinstance(launcher.submit([], number).exception(PATIENCE_S), StartFailed)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2

    @pytest.mark.slow
    def test_a_result_of_an_unknown_type_fails_its_job_alone(self, make: Make) -> None:
        class Score: ...

        launcher = make(lambda config: Score() if config.x == 0 else os.getpid(), jobs_per_device=1)
        future = launcher.submit(["x=0"], 0)
        wait([future], PATIENCE_S)
        assert outcome_of(future, 1).reason == "the task returned a value of type Score, but must return a number"
        pid = launcher.submit([], 1).result(PATIENCE_S).return_value
        assert launcher.submit([], 2).result(PATIENCE_S).return_value == pid

    @pytest.mark.slow
    def test_a_worker_whose_reply_cannot_be_read_is_ended(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        before, launcher = worker_processes(), make(jobs_per_device=1)
        assert launcher.submit([], 0).result(PATIENCE_S).return_value == 1
        with monkeypatch.context() as patch:
            patch.setattr(Reply, "unpack", lambda packed: fail_with(ValueError("torn")))
            assert str(launcher.submit([], 1).exception(PATIENCE_S)) == "torn"
        assert worker_processes() == before
        assert launcher.submit(["x=3"], 2).result(PATIENCE_S).return_value == 9

    def test_sigint_does_not_end_a_worker(self, make: Make, tmp_path: Path) -> None:
        launcher = make()
        future = launcher.submit(["x=6", "do=wait"], 0)
        for pid in started_pids(tmp_path, 1):
            os.kill(pid, signal.SIGINT)
        time.sleep(0.3)
        (tmp_path / "go").touch()
        assert future.result(PATIENCE_S).return_value == 6


def worker_processes() -> set[int]:
    """The children of this process, zombies included."""
    found: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # of a thread that has ended
            found |= {int(pid) for pid in path.read_text().split()}
    return found


def fail_with(error: Exception) -> None:
    raise error


def seen_at_import() -> Callable[[DictConfig], dict[str, object]]:
    names = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
    seen: dict[str, object] = {name: os.environ[name] for name in names} | {"torch": "torch" in sys.modules}
    return lambda config: seen
