"""Packing by real processes that are killed, run at the same time, or run out of disk."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from toy_reader import ToyReader, config, files_of
from waiting import PATIENCE_S, await_that

from spectral.data.packing.pack import pack

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are POSIX")

SCRIPT = Path(__file__).parents[2] / "helpers" / "toy_reader.py"


def start(folder: Path, reader: dict[str, Any], options: dict[str, Any], *limit: int) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SCRIPT), str(folder), json.dumps(reader), json.dumps(options), *map(str, limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def parts(folder: Path) -> list[Path]:
    return list((folder.parent / f".{folder.name}.building").glob("parts-*/rows-*.npz"))


def reads(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("num_workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_after_kill_9_packing_resumes_and_ends_the_same(tmp_path: Path, num_workers: int) -> None:
    folder, log = tmp_path / "pack", tmp_path / "log"
    reader = {"num": 200, "read_log": str(log), "gate": str(tmp_path / "gate"), "gate_row": 60}
    process = start(folder, reader, {"rows_per_part": 10, "num_workers": num_workers})
    await_that(lambda: len(parts(folder)) == 6)
    process.kill()
    process.communicate()
    assert not folder.exists()
    if Path("/proc/self").exists():  # every packing process ends with its parent
        pids = {read["pid"] for read in reads(log)}
        await_that(lambda: not any(alive(pid) for pid in pids))
    finished = {path.name for path in parts(folder)}
    log.unlink()

    resumed = pack(ToyReader(num=200, read_log=str(log)), config(rows_per_part=10), folder, progress=False)
    whole = pack(ToyReader(num=200), config(), tmp_path / "whole", progress=False)
    assert files_of(folder) == files_of(tmp_path / "whole")
    assert resumed.fingerprint == whole.fingerprint
    # The first entry of the log is the first look at some spectra.
    read_again = [f"rows-{r['rows'][0]:09d}-{r['rows'][-1] + 1:09d}.npz" for r in reads(log)[1:]]
    assert len(read_again) == 14 and not finished & set(read_again)


def test_one_of_two_processes_packs_and_the_other_waits(tmp_path: Path) -> None:
    folder, log, gate = tmp_path / "pack", tmp_path / "log", tmp_path / "gate"
    reader = {"num": 100, "read_log": str(log), "gate": str(gate), "gate_row": 50}
    first = start(folder, reader, {"rows_per_part": 10})
    await_that(lambda: len(parts(folder)) == 5)
    second = start(folder, reader, {"rows_per_part": 10})
    assert second.stdout is not None and "waiting for it" in second.stdout.readline()
    gate.touch()
    outputs = [process.communicate(timeout=PATIENCE_S)[0] for process in (first, second)]
    assert first.returncode == second.returncode == 0
    assert "Packed 100 of 100 spectra," in outputs[0] and outputs[1] == ""
    assert len({read["pid"] for read in reads(log)}) == 1


def test_a_full_disk_ends_in_one_sentence_and_keeps_what_was_written(tmp_path: Path) -> None:
    """Parts fit under the limit, their sum does not: the disk is full when they are merged."""
    folder, log = tmp_path / "pack", tmp_path / "log"
    reader = {"num": 300, "length": 100, "read_log": str(log)}
    process = start(folder, reader, {"rows_per_part": 20}, 50_000)
    output = process.communicate(timeout=PATIENCE_S)[0]
    assert process.returncode == 1
    assert "flux.npy could not be written: the limit on file size is reached; make room" in output
    assert "Traceback" not in output and not folder.exists() and len(parts(folder)) == 15
    log.unlink()
    assert len(pack(ToyReader(num=300, length=100, read_log=str(log)), config(), folder, progress=False)) == 300
    assert len(reads(log)) == 1  # the first read of some spectra; no part is read again


@pytest.mark.slow
def test_a_full_disk_in_a_packing_process_ends_in_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    process = start(folder, {"num": 90, "length": 100}, {"rows_per_part": 30, "num_workers": 2}, 4_000)
    output = process.communicate(timeout=PATIENCE_S)[0]
    assert process.returncode == 1 and "could not be written: the limit on file size is reached" in output
    assert "Traceback" not in output and parts(folder) == []
    assert len(pack(ToyReader(num=90, length=100), config(), folder, progress=False)) == 90


@pytest.mark.parametrize("moment", ["old moved away", "nothing moved"])
def test_a_kill_while_the_new_pack_replaces_the_old_one_loses_nothing(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pack"
    pack(ToyReader(num=20), config(), folder, progress=False)
    (folder / "splits").mkdir()
    (folder / "splits" / "mine.json").write_text("{}")
    rename = Path.rename
    moves_allowed = 1 if moment == "old moved away" else 0

    def failing(self: Path, target: Path) -> Path:
        nonlocal moves_allowed
        if self == folder or target == folder:
            moves_allowed -= 1
            if moves_allowed < 0:
                raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", failing)
        with pytest.raises(KeyboardInterrupt):
            pack(ToyReader(num=30), config(), folder, progress=False)
    assert folder.exists() == (moment == "nothing moved")
    survey = pack(ToyReader(num=40), config(), folder, progress=False)  # the source has changed again meanwhile
    assert len(survey) == 40 and (folder / "splits" / "mine.json").exists()
    assert not (tmp_path / ".pack.building").exists()


def test_a_kill_after_the_pack_has_its_place_leaves_no_copy_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = shutil.rmtree

    def stop(path: Path, **options: Any) -> None:
        if (tmp_path / "pack").exists():
            raise KeyboardInterrupt
        remove(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", stop)
        with pytest.raises(KeyboardInterrupt):
            pack(ToyReader(num=20, wave=12), config(), tmp_path / "pack", progress=False)
    building = tmp_path / ".pack.building"
    assert building.exists()
    assert len(pack(ToyReader(num=20, wave=12), config(), tmp_path / "pack", progress=False)) == 20
    assert not building.exists()


def test_a_killed_packing_process_is_reported_in_one_sentence(tmp_path: Path) -> None:
    folder, log = tmp_path / "pack", tmp_path / "log"
    reader = {"num": 40, "read_log": str(log), "gate": str(tmp_path / "gate")}
    process = start(folder, reader, {"rows_per_part": 10, "num_workers": 2})
    await_that(lambda: len({read["pid"] for read in reads(log)} - {process.pid}) >= 1)
    child = next(read["pid"] for read in reads(log) if read["pid"] != process.pid)
    os.kill(child, signal.SIGKILL)
    output = process.communicate(timeout=PATIENCE_S)[0]
    assert process.returncode == 1 and "A packing process was killed, most often for lack of memory" in output
    assert "Traceback" not in output
