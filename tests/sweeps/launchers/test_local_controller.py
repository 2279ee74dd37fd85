"""The process that has local workers: how it starts, what it imports, and that nothing is left of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from launcher_contract import assert_gone, is_alive, started_pids
from launcher_runs import texts_of
from waiting import PATIENCE_S, await_that

ROOT = Path(__file__).parents[3]
IMPORTED_FROM = [str(ROOT), str(ROOT / "tests" / "helpers"), str(ROOT / "tests" / "sweeps" / "helpers")]
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

launcher = launcher_on(Path({folder!r}), "local", main, dict(devices="cpu", jobs_per_device=1, retry_alone=False))
# In one worker: each imports torch.
print(repr(launcher.submit(["x=2"], 2).result().return_value))
future = launcher.submit([], 0)
future.result()
from sweeps.loop.outcome import outcome_of
print(outcome_of(future, 1).reason)
print("torch:", "torch" in sys.modules)
try:
    launcher.submit(["x=0"], 1).result().return_value
except OfThisProgram as error:
    print("OfThisProgram:", error, file=sys.stderr)
"""


class TestController:
    @staticmethod
    def start(folder: Path, after: str = "") -> "subprocess.Popen[str]":
        script = CONTROLLER.format(path=IMPORTED_FROM, folder=str(folder), after=after)
        # A session of its own stands in for a terminal: Ctrl-C reaches its foreground group.
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
        await_that(lambda: not any(map(group_exists, groups)))  # what a job has started ends a moment after it

    def test_ctrl_c_does_not_reach_the_jobs(self, tmp_path: Path) -> None:
        with self.start(tmp_path) as controller:
            pids = started_pids(tmp_path, 2)
            os.killpg(controller.pid, signal.SIGINT)
            texts_of(tmp_path, "interrupted", 1)
            assert all(map(is_alive, pids))
            (tmp_path / "go").touch()
            out, err = controller.communicate(timeout=PATIENCE_S)
        assert (out, err) == ("[0, 1]\n", "")
        assert_gone(pids)

    @pytest.mark.slow
    @pytest.mark.parametrize("after", ["raise ArithmeticError", "sys.exit(4)"])
    def test_no_process_is_left_when_it_ends_without_a_shutdown(self, tmp_path: Path, after: str) -> None:
        (tmp_path / "go").touch()
        with self.start(tmp_path, after) as controller:
            controller.communicate(timeout=PATIENCE_S)
        assert controller.returncode == (4 if "exit" in after else 1)
        assert_gone(started_pids(tmp_path, 2))

    @pytest.mark.slow
    def test_neither_an_exception_nor_a_result_of_torch_imports_torch(self, tmp_path: Path) -> None:
        script = OF_TORCH.format(path=IMPORTED_FROM, folder=str(tmp_path))
        process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
        result, reason, imported = process.stdout.splitlines()
        assert reason == "OutOfMemoryError: CUDA out of memory."
        assert result == "0.5"
        assert imported == "torch: False"
        assert "OfThisProgram: known here" in process.stderr

    def test_it_starts_without_heavy_imports(self) -> None:
        heavy = "{'torch', 'ray', 'optuna', 'numpy'}"
        script = f"import sys, sweeps.launchers.local; print({heavy} & sys.modules.keys())"
        process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
        assert process.stdout == "set()\n"


def group_exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
