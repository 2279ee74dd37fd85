"""What the local launcher promises beyond the contract: warm workers, limits, output, and an end in every case."""

import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from launcher_contract import LauncherTests, Make, assert_gone, is_alive, started_pids
from launcher_runs import await_that, texts_of, write_text
from omegaconf import DictConfig

from sweeps.launchers.contract import JobTimeout, WorkerLost
from sweeps.launchers.reply import Reply
from sweeps.outcome import outcome_of

ROOT = Path(__file__).parents[2]


class OutOfMemoryError(RuntimeError):
    """Stands in for torch.OutOfMemoryError, which a GPU would raise: the launcher goes by the name."""


def own_folder() -> Path:
    return Path(HydraConfig.get().runtime.output_dir)


class TestWorkers(LauncherTests):
    name = "local"
    options = {"devices": "cpu", "jobs_per_device": 2, "grace_s": 2}  # noqa: RUF012

    def test_a_worker_is_kept_and_another_starts_only_when_needed(self, make: Make) -> None:
        launcher = make(lambda config: os.getpid())
        pids = {launcher.submit([], i).result(60).return_value for i in range(4)}
        assert len(pids) == 1
        assert pids == {launcher.pid_of(3)}

    def test_of_a_job_that_has_ended_only_its_place_is_kept(self, make: Make) -> None:
        """A JobReturn holds both of its job's configs: of thousands of jobs they would fill the memory."""
        launcher = make(jobs_per_device=1)
        future = launcher.submit(["x=2"], 0)
        kept = [weakref.ref(future.result(60)), weakref.ref(future)]
        del future
        await_that(lambda: not any(reference() for reference in kept))
        assert launcher.slot_of(0) == "cpu"
        assert launcher.pid_of(0) is not None

    def test_its_environment_is_set_before_anything_is_imported(self, make: Make) -> None:
        class AtImport:
            def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
                return seen_at_import, ()

            def __call__(self, config: DictConfig) -> None: ...

        seen = make(AtImport(), threads_per_job=3).submit([], 0).result(60).return_value
        assert seen == {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "3", "torch": False}

    def test_a_job_that_changes_folder_does_not_move_the_next(self, make: Make) -> None:
        def job(config: DictConfig) -> str:
            here = str(Path.cwd())
            os.chdir("/")
            return here

        launcher = make(job, jobs_per_device=1)
        assert {launcher.submit([], i).result(60).return_value for i in range(2)} == {str(Path.cwd())}

    def test_a_time_limit_ends_the_job_and_what_it_started(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            child = subprocess.Popen(["sleep", "600"])
            write_text(own_folder() / "pid", f"{os.getpid()} {child.pid}")
            time.sleep(600)

        launcher = make(job, time_limit_s=1.5)
        error = launcher.submit([], 0).exception(60)
        assert isinstance(error, JobTimeout)
        assert "1.5 s" in error.reason
        assert_gone({int(pid) for pid in texts_of(tmp_path, "*/pid", 1)[0].split()})

    def test_a_job_deaf_to_sigterm_is_killed_after_grace(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            signal.signal(signal.SIGTERM, lambda *_: write_text(own_folder() / "heard", "term"))
            write_text(own_folder() / "pid", str(os.getpid()))
            while True:
                time.sleep(1)

        error = make(job, time_limit_s=1.5, grace_s=1).submit([], 0).exception(60)
        assert isinstance(error, JobTimeout)
        assert texts_of(tmp_path, "*/heard", 1) == ["term"]
        assert_gone(started_pids(tmp_path, 1))

    @pytest.mark.parametrize(
        ("end", "reason"),
        [
            (lambda: sys.exit(3), "exit code 3"),
            (lambda: os._exit(0), "exit code 0"),
            (os.abort, "SIGABRT"),
            (lambda: os.kill(os.getpid(), signal.SIGTERM), "SIGTERM"),
        ],
    )
    def test_each_way_to_die_is_told(self, make: Make, end: Callable[[], None], reason: str) -> None:
        error = make(lambda config: end()).submit([], 0).exception(60)
        assert isinstance(error, WorkerLost)
        assert reason in error.reason

    def test_death_is_seen_though_a_child_outlives_the_worker(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            if (child := os.fork()) == 0:
                time.sleep(600)
            write_text(own_folder() / "pid", str(child))
            os._exit(5)

        error = make(job).submit([], 0).exception(30)
        assert "exit code 5" in str(error)
        assert_gone(started_pids(tmp_path, 1))

    def test_a_memory_limit_is_the_jobs_exception(self, make: Make) -> None:
        def job(config: DictConfig) -> int:
            return len(bytearray(config.x * 2**20))

        launcher = make(job, memory_limit_gb=2, jobs_per_device=1)
        with pytest.raises(MemoryError):
            _ = launcher.submit(["x=4096"], 0).result(60).return_value
        assert launcher.submit(["x=16"], 1).result(60).return_value == 16 * 2**20

    def test_an_idle_worker_that_died_is_replaced_unnoticed(self, make: Make) -> None:
        launcher = make(jobs_per_device=1)
        assert launcher.submit(["x=2"], 0).result(60).return_value == 4
        pid = launcher.pid_of(0)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        assert launcher.submit(["x=3"], 1).result(60).return_value == 9

    @pytest.mark.parametrize("error", [OSError("no such disk"), TimeoutError("no answer")])
    def test_a_task_that_fails_to_load_with_an_error_of_the_system_says_why(self, make: Make, error: OSError) -> None:
        """Of a dead worker, the same errors tell its end."""

        class Broken:
            def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
                return fail_with, (error,)

            def __call__(self, config: DictConfig) -> None: ...

        launcher = make(Broken(), jobs_per_device=1)
        for number in range(2):
            told = launcher.submit([], number).exception(60)
            assert type(told) is type(error) and str(told) == str(error)
            pid = launcher.pid_of(number)
            assert pid is not None and not is_alive(pid)

    def test_a_result_of_a_type_of_its_own_fails_the_job_alone(self, make: Make) -> None:
        class Score: ...

        launcher = make(lambda config: Score() if config.x == 0 else os.getpid(), jobs_per_device=1)
        future = launcher.submit(["x=0"], 0)
        wait([future], 60)
        assert outcome_of(future, 1).reason == "the task returned a value of type Score, a number is needed"
        assert launcher.submit([], 1).result(60).return_value == launcher.pid_of(0)

    def test_a_worker_whose_reply_cannot_be_read_is_ended(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        launcher = make(jobs_per_device=1)
        assert launcher.submit([], 0).result(60).return_value == 1
        with monkeypatch.context() as patch:
            patch.setattr(Reply, "unpack", lambda packed: fail_with(ValueError("torn")))
            assert str(launcher.submit([], 1).exception(60)) == "torn"
        pid = launcher.pid_of(1)
        assert pid is not None and not is_alive(pid)
        assert launcher.submit(["x=3"], 2).result(60).return_value == 9

    def test_sigint_does_not_end_a_worker(self, make: Make, tmp_path: Path) -> None:
        launcher = make()
        future = launcher.submit(["x=6", "do=wait"], 0)
        for pid in started_pids(tmp_path, 1):
            os.kill(pid, signal.SIGINT)
        time.sleep(0.3)
        (tmp_path / "go").touch()
        assert future.result(60).return_value == 6


class TestOutput(LauncherTests):
    name = "local"
    options = TestWorkers.options

    @staticmethod
    def loud(config: DictConfig) -> None:
        if config.x:
            print("to stdout")
            print("to stderr", file=sys.stderr)
            os.system("echo from a child")

    def test_it_goes_to_a_file_in_the_jobs_folder(
        self, make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        launcher = make(self.loud)
        for i in range(2):
            assert launcher.submit([f"x={i}"], i).exception(60) is None
        assert (tmp_path / "1" / "job.log").read_text() == "to stdout\nto stderr\nfrom a child\n"
        assert not (tmp_path / "0" / "job.log").exists()
        assert capfd.readouterr() == ("", "")

    def test_it_can_be_shown(self, make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert make(self.loud, show_output=True).submit([], 0).exception(60) is None
        assert not (tmp_path / "0" / "job.log").exists()
        out, err = capfd.readouterr()
        assert sorted(out.split("\n")) == ["", "from a child", "to stdout"]
        assert "to stderr" in err

    def test_a_crash_leaves_its_stack_there(self, make: Make, tmp_path: Path) -> None:
        def job(config: DictConfig) -> None:
            print("before")
            os.abort()

        assert isinstance(make(job).submit([], 0).exception(60), WorkerLost)
        log = (tmp_path / "0" / "job.log").read_text()
        assert log.startswith("before\n")
        assert "Fatal Python error: Aborted" in log and "in job" in log

    def test_a_second_attempt_adds_to_it(self, make: Make, tmp_path: Path) -> None:
        launcher = make(self.loud)
        for _ in range(2):
            launcher.submit(["hydra.sweep.subdir=same"], 0).result(60)
        assert (tmp_path / "same" / "job.log").read_text().count("to stdout") == 2


def greedy(config: DictConfig) -> str:
    """Says who else was running; x=0 runs out of memory beside another job, or always if `do` says so."""
    folder = Path(config.folder)
    write_text(own_folder() / "pid", str(os.getpid()))
    if config.x == 0:
        if config.do == "always" or not (folder / "go").exists():
            texts_of(folder, "1/pid", 1)
            (folder / "go").touch()
            raise OutOfMemoryError("CUDA out of memory")
        return " ".join(path.parent.name for path in folder.glob("*/pid") if not (path.parent / "done").exists())
    if config.x == 1:
        texts_of(folder, "go", 1)
        time.sleep(0.5)
    (own_folder() / "done").touch()
    return ""


class TestOutOfMemory(LauncherTests):
    """A CUDA device that runs out of memory, played by an exception of that name."""

    name = "local"
    options = TestWorkers.options

    def test_the_job_is_retried_alone_in_a_fresh_worker(self, make: Make) -> None:
        launcher = make(greedy)
        futures = [launcher.submit([f"x={i}"], i) for i in range(4)]
        # When it ran again, only job 0 itself had begun and not ended.
        assert futures[0].result(60).return_value == "0"
        alone = launcher.pid_of(0)
        assert [future.result(60).return_value for future in futures[1:]] == ["", "", ""]
        assert alone not in {launcher.pid_of(i) for i in (1, 2, 3)}

    def test_it_fails_if_it_runs_out_alone(self, make: Make) -> None:
        launcher = make(greedy)
        futures = [launcher.submit([f"x={i}", "do=always"], i) for i in range(3)]
        with pytest.raises(OutOfMemoryError) as caught:
            _ = futures[0].result(60).return_value
        assert caught.value.__notes__ == ["The job had cpu to itself."]
        assert [future.result(60).return_value for future in futures[1:]] == ["", ""]

    def test_it_fails_at_once_where_retrying_is_off(self, make: Make) -> None:
        launcher = make(greedy, retry_alone=False)
        futures = [launcher.submit([f"x={i}"], i) for i in range(2)]
        with pytest.raises(OutOfMemoryError):
            _ = futures[0].result(60).return_value
        assert futures[1].result(60).return_value == ""

    @pytest.mark.parametrize(
        ("error", "is_told"),
        [
            (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"), True),
            (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
            (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
            (RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"), True),
            (RuntimeError("CUDA error: device-side assert triggered"), False),
            (ValueError("CUDA error: out of memory"), False),
        ],
    )
    def test_it_is_told_by_what_cuda_and_its_libraries_say(self, error: Exception, is_told: bool) -> None:
        outer = ArithmeticError("in a step")
        outer.__cause__ = error
        for raised in (error, outer):
            reply = Reply.of_return(JobReturn(status=JobStatus.FAILED, _return_value=raised))
            assert (reply.device_memory_ran_out, reply.worn) == (is_told, is_told)

    def test_draining_waits_for_the_retry(self, make: Make) -> None:
        launcher = make(greedy)
        futures = [launcher.submit([f"x={i}"], i) for i in range(2)]
        launcher.shutdown(wait=True)
        assert futures[0].result(0).return_value == "0"


CONTROLLER = """
import sys, time
from pathlib import Path
sys.path[:0] = {path!r}
from launcher_runs import launcher_on, task
from omegaconf import DictConfig

def main(config: DictConfig):
    import subprocess
    subprocess.Popen(["sleep", "600"])
    return task(config)

folder = Path({folder!r})
launcher = launcher_on(folder, "local", main, dict(devices="cpu", jobs_per_device=2))
futures = [launcher.submit([f"x={{i}}", "do=wait"], i) for i in range(2)]
try:
    for future in futures:
        future.result()
    {after}
except KeyboardInterrupt:
    (folder / "interrupted").touch()
    print([future.result().return_value for future in futures])
"""


OF_TORCH = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from launcher_runs import launcher_on
from omegaconf import DictConfig

class OfThisProgram(Exception):
    pass

def main(config: DictConfig):
    if config.x == 0:
        raise OfThisProgram("known here")
    import torch
    if config.x == 2:
        return torch.tensor(0.5)
    raise torch.OutOfMemoryError("CUDA out of memory.")

launcher = launcher_on(Path({folder!r}), "local", main, dict(devices="cpu", jobs_per_device=1))
future = launcher.submit([], 0)
future.result()
from sweeps.outcome import outcome_of
print(outcome_of(future, 1).reason)
print(repr(launcher.submit(["x=2"], 2).result().return_value))
print("torch:", "torch" in sys.modules)
try:
    launcher.submit(["x=0"], 1).result().return_value
except OfThisProgram as error:
    print("OfThisProgram:", error, file=sys.stderr)
"""


class TestController:
    @staticmethod
    def start(folder: Path, after: str = "") -> "subprocess.Popen[str]":
        script = CONTROLLER.format(path=[str(ROOT), str(ROOT / "tests" / "sweeps")], folder=str(folder), after=after)
        # A session of its own stands for a terminal: its foreground group is what Ctrl-C reaches.
        return subprocess.Popen(
            [sys.executable, "-c", script],
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_workers_and_their_children_end_when_it_is_killed(self, tmp_path: Path) -> None:
        with self.start(tmp_path) as controller:
            pids = started_pids(tmp_path, 2)
            groups = {os.getpgid(pid) for pid in pids}
            controller.kill()
        assert_gone(pids)
        for group in groups:
            assert not group_exists(group)

    def test_ctrl_c_leaves_the_jobs_to_it(self, tmp_path: Path) -> None:
        with self.start(tmp_path) as controller:
            pids = started_pids(tmp_path, 2)
            os.killpg(controller.pid, signal.SIGINT)
            texts_of(tmp_path, "interrupted", 1)
            assert all(map(is_alive, pids))
            (tmp_path / "go").touch()
            out, err = controller.communicate(timeout=60)
        assert (out, err) == ("[0, 1]\n", "")
        assert_gone(pids)

    @pytest.mark.parametrize("after", ["raise ArithmeticError", "sys.exit(4)"])
    def test_nothing_is_left_when_it_ends_without_a_shutdown(self, tmp_path: Path, after: str) -> None:
        (tmp_path / "go").touch()
        with self.start(tmp_path, after) as controller:
            controller.communicate(timeout=60)
        assert controller.returncode == (4 if "exit" in after else 1)
        assert_gone(started_pids(tmp_path, 2))

    def test_neither_an_exception_nor_a_result_of_torch_imports_it_there(self, tmp_path: Path) -> None:
        script = OF_TORCH.format(path=[str(ROOT), str(ROOT / "tests" / "sweeps")], folder=str(tmp_path))
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
        reason, result, imported = told.stdout.splitlines()
        assert reason == "OutOfMemoryError: CUDA out of memory."
        assert result == "0.5"
        assert imported == "torch: False"
        assert "OfThisProgram: known here" in told.stderr

    def test_it_starts_light(self) -> None:
        heavy = "{'torch', 'ray', 'optuna', 'numpy'}"
        script = f"import sys, sweeps.launchers.local; print({heavy} & sys.modules.keys())"
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
        assert told.stdout == "set()\n"


def fail_with(error: Exception) -> None:
    raise error


def seen_at_import() -> Callable[[DictConfig], dict[str, object]]:
    names = ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
    seen: dict[str, object] = {name: os.environ[name] for name in names} | {"torch": "torch" in sys.modules}
    return lambda config: seen


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
