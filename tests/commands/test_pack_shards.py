"""`spectral.pack shards=N`: the pack of one command, made by jobs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import command
from reader_cases.case import made_spectra
from reader_cases.two_column import TwoColumnCase
from small_runs import REPOSITORY, arrays
from test_pack_command import pack_command
from toy_reader import files_of
from waiting import PATIENCE_S, await_that

from spectral.data.packing import steps
from spectral.data.packing.parts import Span
from spectral.errors import UserError

NUM = 60


@pytest.fixture(params=[pytest.param("arrays", marks=pytest.mark.slow), "two_column"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """A survey with bad spectra at the edges of its three shards of 20, as overrides."""
    options = ["data.on_bad=skip", "data.nan=skip", "data.rows_per_part=4", f"cache_dir={tmp_path / 'cache'}"]
    if request.param == "arrays":
        content = arrays(num=NUM)
        content["flux"][[19, 20, 40], 3] = np.nan
        np.savez(tmp_path / "new.npz", **content)
        return ["data=arrays", f"data.path={tmp_path / 'new.npz'}", *options]
    case, folder = TwoColumnCase(), tmp_path / "source"
    folder.mkdir()
    case.write(folder, made_spectra(NUM, ragged=True))
    for row in (19, 20, 40):
        case.damage(folder, row)
    files = [f"data.folder={folder / 'spectra'}", f"data.catalog={folder / 'labels.csv'}", "data.file_key=file"]
    grid = "data.grid={kind: log, start_angstrom: 4000, stop_angstrom: 4040, step: 0.0001}"
    return ["data=two_column", *files, "data.columns=[wave,flux,ivar]", grid, *options]


@pytest.fixture
def whole(data: list[str], tmp_path: Path) -> dict[str, bytes]:
    """The files that one command makes."""
    pack_command(*data, "data.num_workers=1", f"out={tmp_path / 'whole'}")
    files = files_of(tmp_path / "whole")
    assert sum(json.loads(files["survey.json"])["skipped"].values()) == 3
    return files


@pytest.fixture
def made_parts(monkeypatch: pytest.MonkeyPatch) -> list[Span]:
    """The rows of each part that is made in this process."""
    made: list[Span] = []

    def counted(job: Any, spans: list[Span], ids: list[str], num_workers: int | None) -> Iterable[Span]:
        for span in spans:
            made.append(job.make(span, ids[slice(*span)]))
            yield span

    monkeypatch.setattr(steps, "make_parts", counted)
    return made


def as_jobs(data: list[str], out: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Let jobs run in this process; returns their overrides."""
    ran: list[list[str]] = []

    def run_jobs(_task: Any, jobs: Sequence[Sequence[str]], folder: Path, on_tick: Callable[[], None]) -> None:
        assert folder == out.parent / f".{out.name}.jobs"
        for overrides in jobs:
            ran.append([*overrides])
            pack_command(*data, f"out={out}", *overrides)
            on_tick()

    monkeypatch.setattr("spectral.cli.jobs.run_jobs", run_jobs)
    return ran


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*") if not path.name.endswith(".lock"))


def test_shards_make_the_pack_of_one_command(data: list[str], whole: dict[str, bytes], tmp_path: Path) -> None:
    """As jobs of one of Hydra's own launchers, which runs them one after another in the process of the command."""
    out = tmp_path / "a pack"
    given = [*data, "shards=3", "hydra/launcher=basic", f"out={out}"]
    ended = command(REPOSITORY / "spectral" / "pack.py", *given, cwd=tmp_path, joined=True)
    assert ended.returncode == 0, ended.stdout
    assert files_of(out) == whole and left_over(tmp_path) == []
    assert f"use it with: python run.py data=packed 'data.folder={out}'" in ended.stdout


def test_shards_of_another_scheduler_are_joined_by_the_last(
    data: list[str], whole: dict[str, bytes], tmp_path: Path, made_parts: list[Span], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pack"
    for shard in (2, 0, 0):  # in any order; one that is done does nothing
        pack_command(*data, f"out={out}", "shards=3", f"shard={shard}")
        assert not out.exists() and f"shard {shard} of 3 is done" in capsys.readouterr().out
    pack_command(*data, f"out={out}", "shards=3", "shard=1")
    assert files_of(out) == whole and left_over(tmp_path) == []
    assert "57 spectra of" in capsys.readouterr().out
    assert sorted(made_parts) == [(at, at + 4) for at in range(0, NUM, 4)]
    pack_command(*data, f"out={out}", "shards=3", "shard=1")  # given again it prints the same
    assert "57 spectra of" in capsys.readouterr().out and len(made_parts) == NUM // 4


def test_after_a_kill_finished_parts_and_shards_are_not_made_again(
    data: list[str], whole: dict[str, bytes], tmp_path: Path, made_parts: list[Span], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "pack"
    ran = as_jobs(data, out, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "make_parts", killed_after(steps.make_parts, 7))
        with pytest.raises(KeyboardInterrupt):
            pack_command(*data, f"out={out}", "shards=3")
    assert not out.exists() and made_parts[:7] == [(at, at + 4) for at in range(0, 28, 4)]
    pack_command(*data, f"out={out}", "shards=3")
    assert [job[0] for job in ran] == ["shard=0", "shard=1", "shard=1", "shard=2"]
    assert made_parts == [(at, at + 4) for at in range(0, NUM, 4)]
    assert files_of(out) == whole and left_over(tmp_path) == []


def killed_after(make: Callable[..., Iterable[Span]], num: int) -> Callable[..., Iterable[Span]]:
    made: list[Span] = []

    def killed(*arguments: Any) -> Iterable[Span]:
        for span in make(*arguments):
            made.append(span)
            yield span
            if len(made) == num:
                raise KeyboardInterrupt

    return killed


def test_a_bad_spectrum_stops_all_if_that_is_asked_for(
    data: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = [*data, "data.on_bad=error", "data.nan=error"]
    as_jobs(strict, tmp_path / "pack", monkeypatch)
    with pytest.raises(UserError, match=r"^Spectrum \w+.*: .*; data\.(on_bad|nan)=\w+ "):
        pack_command(*strict, f"out={tmp_path / 'pack'}", "shards=3")
    assert not (tmp_path / "pack").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("shards=0",), r"shards=0 is out of range: .* at least 1"),
        (("shards=-1",), r"shards=-1 is out of range: .* at least 1"),
        (("shards=61",), "shards=61 is out of range: the data has 60 spectra, give at most that"),
        (("shards=3", "shard=3"), "shard=3 is out of range: of shards=3 the last is 2"),
    ],
)
def test_mistakes_are_one_sentence(more: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "new.npz", **arrays(num=NUM))
    with pytest.raises(UserError, match=sentence):
        pack_command("data=arrays", f"data.path={tmp_path / 'new.npz'}", f"out={tmp_path / 'pack'}", *more)
    assert [path.name for path in tmp_path.iterdir()] == ["new.npz"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("shards=2", "hydra/launcher=lokal"), "hydra/launcher=lokal is not known: did you mean 'local'?"),
        (("shards=x",), "shards=x "),
    ],
)
def test_mistakes_that_hydra_finds_are_one_sentence(more: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    given = ("data=simulated", "out=pack", *more)
    ended = command(REPOSITORY / "spectral" / "pack.py", *given, cwd=tmp_path)
    assert ended.returncode == 2 and ended.stderr.startswith(f"error: {sentence}") and ended.stderr.count("\n") == 1
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow  # four processes
def test_the_shard_of_a_killed_worker_is_packed_again(tmp_path: Path) -> None:
    data = ("data=simulated", "data.num_spectra=600", "data.rows_per_part=5")
    given = [sys.executable, "-m", "spectral.pack", *data]
    environment = {"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin", "OMP_NUM_THREADS": "1"}
    jobs = ("shards=2", "hydra.launcher.jobs_per_device=2", "hydra.launcher.devices=cpu")
    process = subprocess.Popen(
        [*given, f"out={tmp_path / 'pack'}", *jobs], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    await_that(lambda: [*tmp_path.glob(".pack.building/parts-*/rows-*.npz")], process)
    os.kill(worker_of(process.pid), signal.SIGKILL)
    _, printed = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, printed
    assert "is lost and runs again" in printed
    subprocess.run([*given, f"out={tmp_path / 'whole'}"], cwd=tmp_path, env=environment, check=True)
    assert files_of(tmp_path / "pack") == files_of(tmp_path / "whole") and left_over(tmp_path) == []


def worker_of(pid: int) -> int:
    import psutil

    found = [child.pid for child in psutil.Process(pid).children() if "worker_main" in " ".join(child.cmdline())]
    return found[0]
