"""Disks and memory that run out in mid-sweep: what was written stays, and the same command resumes."""

import json
import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from search_runs import (
    REPOSITORY,
    Process,
    await_begun,
    check_complete,
    finish,
    run,
    start,
    states,
    trials,
    worker_pids,
)
from small_runs import OVERRIDES, rows

WAITS = "The storage does not answer: waiting"


def limit_files(process: Process, num_bytes: int) -> None:
    """Limit the size of every file that the process writes: it stands in for a full disk."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (num_bytes, resource.RLIM_INFINITY))


def begin_held(folder: Path, *options: str) -> Process:
    """A sweep whose two first jobs wait in their last epoch, until the file `hold` is gone."""
    folder.mkdir()
    (folder / "hold").touch()
    process = start(folder, *options)
    await_begun(folder, 2, process)
    return process


def await_line(part: str, process: Process) -> None:
    assert process.stdout
    for line in process.stdout:
        if part in line:
            return
    raise AssertionError(f"it never said {part!r}")


def test_a_job_that_cannot_write_fails_and_the_others_continue(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    process = start(folder, "write_mb=0,8,1", "~sweep.space.x")
    limit_files(process, 4_000_000)
    output = finish(process)
    assert process.returncode == 0, output
    assert states(folder) == ["COMPLETE", "FAIL", "COMPLETE"]
    failed = trials(folder)[1]
    assert failed.user_attrs["reason"] == "OSError: [Errno 27] File too large"
    assert "write_bytes" in failed.user_attrs["traceback"]
    assert (Path(failed.user_attrs["run_dir"]) / "epochs").read_text().split() == ["1", "2", "3"]


@pytest.mark.slow
def test_a_controller_waits_until_there_is_space_for_the_journal(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    process = begin_held(folder, "sweep.num_trials=4")
    # Room for a part of a line, which must not stay.
    limit_files(process, (folder / "study.journal").stat().st_size + 20)
    (folder / "hold").unlink()
    await_line(WAITS, process)
    limit_files(process, resource.RLIM_INFINITY)
    output = finish(process)
    assert process.returncode == 0, output
    check_complete(folder, 4)


@pytest.mark.slow
def test_a_journal_without_space_ends_the_command_and_it_resumes_later(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    process = begin_held(folder, "sweep.num_trials=3", "sweep.storage_timeout_s=1")
    limit_files(process, (folder / "study.journal").stat().st_size + 20)
    # An entry to write: the second start of a job.
    os.kill(worker_pids(folder)[0], signal.SIGKILL)
    output = finish(process)
    assert process.returncode != 0
    assert "the storage of the study did not answer for 1 s (OSError: [Errno 27] File too large" in output
    (folder / "hold").unlink()
    run(folder, "sweep.num_trials=3")
    check_complete(folder, 3)


@pytest.mark.slow
def test_a_sweep_that_waits_for_its_journal_can_be_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    process = begin_held(folder, "sweep.num_trials=3", "sweep.storage_timeout_s=3600")
    limit_files(process, (folder / "study.journal").stat().st_size + 20)
    os.kill(worker_pids(folder)[0], signal.SIGKILL)
    await_line(WAITS, process)
    process.terminate()
    output = finish(process)
    assert process.returncode != 0
    assert "the storage of the study did not answer when the command was stopped" in output
    (folder / "hold").unlink()
    run(folder, "sweep.num_trials=3")
    check_complete(folder, 3)


@pytest.mark.slow
def test_a_job_that_needs_too_much_memory_fails_and_the_others_continue(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    run(folder, "allocate_gb=0,64,0.01", "~sweep.space.x", "hydra.launcher.memory_limit_gb=8")
    assert states(folder) == ["COMPLETE", "FAIL", "COMPLETE"]
    failed = trials(folder)[1]
    assert failed.user_attrs["reason"] == "MemoryError: the memory of the job ran out"
    assert "in main\nMemoryError" in failed.user_attrs["traceback"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Fill the disk with a file."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


@pytest.mark.slow
def test_a_sweep_survives_a_disk_that_is_full_for_a_while(small_disk: Path) -> None:
    folder = small_disk / "study"
    process = begin_held(folder, "sweep.num_trials=40")
    filler = fill(small_disk)
    (folder / "hold").unlink()
    await_line(WAITS, process)
    filler.unlink()
    output = finish(process)
    assert process.returncode == 0, output
    found = trials(folder)
    assert len(found) == 40 and {trial.state.name for trial in found} <= {"COMPLETE", "FAIL"}
    assert len({trial.user_attrs["run_dir"] for trial in found}) == 40
    for trial in found:
        if trial.state.name == "FAIL":
            assert "No space left on device" in trial.user_attrs["reason"]
        else:
            assert trial.values == [trial.params["x"] * 3]
            assert (Path(trial.user_attrs["run_dir"]) / "epochs").read_text().split() == ["1", "2", "3"]
    assert found[-1].state.name == "COMPLETE"
    assert not list(folder.rglob(".*.part"))


@pytest.mark.slow
def test_a_run_of_the_product_that_cannot_write_keeps_its_files(pack_folder: Path, tmp_path: Path) -> None:
    fixed = [option for option in OVERRIDES if not option.startswith("model.width")]
    folder = tmp_path / "study"
    process = start(
        folder, "data=packed", f"data.folder={pack_folder}", *fixed, "model.width=4,64", script=REPOSITORY / "run.py"
    )
    limit_files(process, 300_000)
    output = finish(process)
    assert process.returncode == 0, output
    assert states(folder) == ["COMPLETE", "FAIL"]
    failed = trials(folder)[1]
    assert "could not be written: the limit on file size is reached" in failed.user_attrs["reason"]
    assert json.loads((folder / "1" / "trial.json").read_text())["state"] == "fail"
    assert not list(folder.rglob(".*.part"))
    assert len(rows(folder / "0")) == 3
