"""Weights & Biases that dies, hangs or loses its disk: the run ends as it would without a tracker.

The faults are real: its own processes are killed or stopped, its disk is full.
"""

import json
import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from offline_runs import check_epochs, offline_runs
from small_runs import outcome, run
from waiting import await_that

Overrides = Callable[..., list[str]]


def children(parent: int, name: str) -> list[int]:
    """Processes below one, by their parent's number."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = stat.read_text().partition(" (")
        except OSError:
            continue
        if int(rest.rpartition(")")[2].split()[1]) == parent:
            found += [int(pid)] if rest.startswith(name) else []
            found += children(int(pid), name)
    return found


def await_core() -> int:
    """The number of the library's own process, below the tracker's."""
    return await_that(lambda: children(os.getpid(), "wandb-core"))[0]


def await_start(run_folder: Path) -> None:
    """Wait until the tracker has started and named the run."""
    record = run_folder / "tracker.json"
    await_that(lambda: record.exists() and json.loads(record.read_text())["wandb"]["id"])


def at_epoch(number: int, act: Callable[[], Any]) -> Callable[[int, dict[str, Any]], None]:
    def on_epoch(epoch: int, _row: dict[str, Any]) -> None:
        if epoch == number:
            act()

    return on_epoch


@pytest.fixture
def untracked(small: Overrides, tmp_path: Path) -> tuple[Any, ...]:
    """The outcome of the run without a tracker."""
    run(small(folder="untracked"))
    return outcome(tmp_path / "untracked")


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    with caplog.at_level(logging.INFO, "spectral.tracking.client"):
        yield lambda: [record.getMessage() for record in caplog.records if record.name == "spectral.tracking.client"]


Messages = Callable[[], list[str]]


@pytest.mark.slow
def test_a_run_ends_normally_if_the_process_of_the_library_is_killed(
    tracked: Overrides, tmp_path: Path, untracked: tuple[Any, ...], messages: Messages
) -> None:
    """Everything is logged again at the end, so that nothing is missing."""

    def kill() -> None:
        await_start(tmp_path / "run")
        os.kill(await_core(), signal.SIGKILL)

    run(tracked("wandb", "plots=false", "tracker.mode=offline"), at_epoch(2, kill))
    assert outcome(tmp_path / "run") == untracked
    lost, message = messages()
    assert lost.startswith("tracker=wandb stopped (ConnectionResetError") and "wandb sync" in message
    first, second = offline_runs(tmp_path / "run")
    assert first.folder.name.rpartition("-")[2] == second.about["run_id"]
    check_epochs(tmp_path / "run", second.epochs)
    assert second.summary["summary"]["status"] == "finished"


@pytest.mark.slow
def test_a_run_ends_normally_if_the_process_of_the_tracker_is_killed(
    tracked: Overrides, tmp_path: Path, untracked: tuple[Any, ...], messages: Messages
) -> None:
    def kill() -> None:
        await_start(tmp_path / "run")
        (tracker,) = [pid for pid in children(os.getpid(), "python") if children(pid, "wandb-core")]
        os.kill(tracker, signal.SIGKILL)

    run(tracked("wandb", "plots=false", "tracker.mode=offline"), at_epoch(2, kill))
    assert outcome(tmp_path / "run") == untracked
    assert messages()[0].startswith("tracker=wandb stopped (its process was killed)") and "wandb sync" in messages()[1]
    check_epochs(tmp_path / "run", offline_runs(tmp_path / "run")[-1].epochs)


@pytest.mark.slow
def test_a_run_ends_normally_if_the_library_hangs_from_its_start(
    tracked: Overrides, tmp_path: Path, untracked: tuple[Any, ...], messages: Messages
) -> None:
    """The service of the library is stopped before it has announced its port."""
    stopper = threading.Thread(target=lambda: os.kill(await_core(), signal.SIGSTOP))
    stopper.start()
    run(tracked("wandb", "plots=false", "tracker.start_timeout_s=600", "tracker.finish_timeout_s=2"))
    stopper.join()
    assert outcome(tmp_path / "run") == untracked
    (problem,) = messages()
    assert problem.startswith("tracker=wandb stopped (it did not end within 2 s)")
    assert not children(os.getpid(), "wandb-core"), "something was left running"


@pytest.mark.slow
def test_a_run_ends_normally_if_the_library_hangs_in_mid_run(
    tracked: Overrides, tmp_path: Path, untracked: tuple[Any, ...], messages: Messages
) -> None:
    def stop() -> None:
        await_start(tmp_path / "run")
        os.kill(await_core(), signal.SIGSTOP)

    run(tracked("wandb", "plots=false", "tracker.finish_timeout_s=2"), at_epoch(2, stop))
    assert outcome(tmp_path / "run") == untracked
    (problem,) = messages()
    assert problem.startswith("tracker=wandb stopped (it did not end within 2 s)")
    assert not children(os.getpid(), "wandb-core"), "something was left running"
    assert "_follow" in (tmp_path / "run" / "tracker.log").read_text(), "the log does not say where"


@pytest.mark.slow
def test_a_run_ends_normally_if_the_folder_of_the_library_is_removed(
    tracked: Overrides, tmp_path: Path, untracked: tuple[Any, ...], messages: Messages
) -> None:
    def remove() -> None:
        await_start(tmp_path / "run")
        shutil.rmtree(tmp_path / "run" / "wandb", ignore_errors=True)

    run(tracked("wandb"), at_epoch(2, remove))
    assert outcome(tmp_path / "run") == untracked
    assert len([line for line in messages() if "stopped" in line]) == 1


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 KiB where the library writes."""
    folder = tmp_path / "run" / "wandb"
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a file system of its own")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("plots", ["true", "false"])
def test_a_run_ends_normally_if_the_disk_of_the_library_is_full(
    plots: str, tracked: Overrides, tiny_disk: Path, tmp_path: Path, untracked: tuple[Any, ...], messages: Messages
) -> None:
    def fill() -> None:
        await_start(tmp_path / "run")
        with suppress(OSError), (tiny_disk / "fill").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    run(tracked("wandb", f"plots={plots}"), at_epoch(2, fill))
    assert outcome(tmp_path / "run") == untracked
    problems = [line for line in messages() if "stopped" in line]
    assert len(problems) == 1, messages()
    assert "No space left" in problems[0] or "could not be written" in problems[0]


@pytest.mark.slow
@pytest.mark.parametrize("key_is_in", ["environment", "netrc"])
def test_an_unreachable_server_is_not_waited_for(
    key_is_in: str,
    tracked: Overrides,
    tmp_path: Path,
    untracked: tuple[Any, ...],
    messages: Messages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A try to connect shows that the key was found."""
    key = "0123456789abcdef" * 3
    if key_is_in == "environment":
        monkeypatch.setenv("WANDB_API_KEY", key)
    else:
        (Path.home() / ".netrc").write_text(f"machine 127.0.0.1:9\n  login user\n  password {key}\n")
        (Path.home() / ".netrc").chmod(0o600)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    run(tracked("wandb", "plots=false", "tracker.start_timeout_s=3"))
    assert outcome(tmp_path / "run") == untracked
    (message,) = messages()
    assert "the server was not reached" in message and "wandb sync" in message
    check_epochs(tmp_path / "run", offline_runs(tmp_path / "run")[-1].epochs)
    written = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert not [path for path in written if key.encode() in path.read_bytes()]
