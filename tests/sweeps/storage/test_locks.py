"""Asking whether a lock is held: the answer is right, and the question holds up nobody."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from sweeps.storage import locks
from sweeps.storage.locks import is_locked

HOLDER = "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print(flush=True); input()"


@pytest.fixture(params=["the kernel's list", "no list"])
def lock(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a lock, on a system with or without a list of locks."""
    if request.param == "no list":
        monkeypatch.setattr(locks, "LOCKS", tmp_path / "none")
    return tmp_path / "run.lock"


def test_a_lock_is_seen_in_this_process_and_in_another(lock: Path) -> None:
    assert not is_locked(lock)  # there is no file
    with FileLock(lock):
        assert is_locked(lock) and not is_locked(lock.parent / "other.lock")
    assert lock.is_file() and not is_locked(lock)
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline()
        assert is_locked(lock)
        holder.kill()
    assert not is_locked(lock)


def test_a_lock_of_a_file_with_the_same_number_on_another_disk_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    path.touch()
    status = path.stat()
    line = f"1: FLOCK  ADVISORY  WRITE 42 {{}}:{status.st_ino} 0 EOF"
    assert locks._is_of(line.format("00:2a"), status)  # btrfs and overlays have no device of their own
    assert not locks._is_of(line.format("fff:ff"), status)
    assert not locks._is_of(line.format("00:2a").replace("FLOCK", "-> FLOCK"), status)
    assert not locks._is_of(line.format("00:2a").replace("FLOCK", "POSIX"), status)


def test_the_question_takes_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.lock"
    path.touch()

    def taken(file: int, how: int) -> None:
        raise AssertionError("it takes the lock")

    monkeypatch.setattr(fcntl, "flock", taken)
    assert not is_locked(path)
