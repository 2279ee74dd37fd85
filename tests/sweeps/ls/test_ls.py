"""The list of studies and runs: the progress of each, and which cannot be read."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from listed_entries import listed
from loop_runs import sweep
from rich.text import Text

from sweeps.ls import command
from sweeps.storage.connect import open_storage

DAY_S = 24 * 3600
CONFIG = "objective: val/macro_f1\nschedule:\n  stages:\n  - {name: train, epochs: 3}\n  - {name: tune, epochs: 2}\n"


def make_run(folder: Path, num_epochs: int = 0, result: dict[str, Any] | None = None) -> Path:
    """A run folder whose epochs have scores 0.1, 0.2, ..."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)
    rows = [json.dumps({"epoch": k + 1, "val/macro_f1": (k + 1) / 10}) for k in range(num_epochs)]
    (folder / "metrics.jsonl").write_text("".join(f"{row}\n" for row in rows))
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))
    return folder


def make_old(path: Path) -> None:
    long_ago = time.time() - 3 * DAY_S
    for file in path.iterdir():
        os.utime(file, (long_ago, long_ago))


def test_runs_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    make_run(runs / "done", 4, {"objective": "val/macro_f1", "val/macro_f1": 0.7, "num_epochs": 4})
    of_two = {"objective": "val/macro_f1", "val/macro_f1": 0.8, "num_epochs": 0, "ensemble": {"members": [{}, {}]}}
    make_run(runs / "both", 0, of_two)
    make_run(runs / "stopped", 2)
    make_old(make_run(runs / "stale", 1))
    make_run(runs / "pruned", 1)
    (runs / "pruned" / "trial.json").write_text('{"state": "pruned"}')
    make_run(runs / "paused", 1)
    (runs / "paused" / "trial.json").write_text('{"state": "paused"}')
    make_run(runs / "failed")
    (runs / "failed" / "trial.json").write_text('{"state": "fail"}')
    cut = make_run(runs / "cut", 1) / "metrics.jsonl"
    cut.write_text(cut.read_text() + '{"epoch": 2, "val')
    make_run(runs / "running", 3)
    with FileLock(runs / "running" / "run.lock"):
        found = listed(tmp_path, capsys)
    both = found.pop("both")
    assert [both[key] for key in ("kind", "num_done", "num_total", "values")] == ["ensemble", 2, None, [0.8]]
    assert {name: entry["status"] for name, entry in found.items()} == {
        "done": "finished",
        "stopped": "stopped",
        "stale": "stale",
        "pruned": "pruned",
        "paused": "paused",
        "failed": "failed",
        "cut": "stopped",
        "running": "running",
    }
    assert {(entry["num_total"], entry["kind"]) for entry in found.values()} == {(5, "run")}
    assert [found[name]["num_done"] for name in ("done", "stopped", "cut")] == [4, 2, 1]
    assert [found[name]["values"] for name in ("done", "running", "failed")] == [[0.7], [0.3], None]
    assert {found[name]["values_of"] for name in ("done", "running")} == {"best epoch"}
    assert 3 * DAY_S <= found["stale"]["age_s"] < 3.5 * DAY_S
    assert listed(runs, capsys)["running"]["status"] == "stopped"  # its lock is free again


def write_scores(run: Path, *scores: float) -> None:
    rows = [{"epoch": k + 1, "val/macro_f1": score} for k, score in enumerate(scores)]
    (run / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_a_pruned_run_has_the_score_of_its_last_epoch_as_in_optuna(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "pruned")
    write_scores(run, 0.2, 0.6, 0.5)
    (run / "trial.json").write_text('{"state": "pruned"}')
    entry = listed(tmp_path, capsys)["pruned"]
    assert (entry["values"], entry["values_of"]) == ([0.5], "last epoch")
    command.main([str(tmp_path)])
    assert " last 0.5000 " in capsys.readouterr().out


def test_a_run_that_keeps_its_last_epoch_has_the_score_of_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = make_run(tmp_path / "stopped")
    write_scores(stopped, 0.2, 0.6, 0.5)
    done = make_run(tmp_path / "done", 4, {"objective": "val/macro_f1", "val/macro_f1": 0.7, "num_epochs": 4})
    for run in (stopped, done):
        (run / "config.yaml").write_text(f"{CONFIG}  keep: last\n")
    found = listed(tmp_path, capsys)
    assert [found[name]["values"] for name in ("stopped", "done")] == [[0.5], [0.7]]
    assert {entry["values_of"] for entry in found.values()} == {"last epoch"}


def test_a_folder_shows_its_own_study_and_the_runs_of_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_storage.cache_clear()
    sweep(tmp_path / "study", {"x": [1, 2]}, lambda call: float(call.values["x"]), sampler="grid", seeds=2)
    folders = [tmp_path / "study" / str(number) / f"seed-{k}" for number in range(2) for k in range(2)]
    for folder in folders:
        shutil.rmtree(folder)
        make_run(folder, 2)
    assert sorted(listed(tmp_path / "study", capsys)) == [
        *("study", "study/0/seed-0", "study/0/seed-1", "study/1/seed-0", "study/1/seed-1")
    ]
    assert sorted(listed(tmp_path / "study" / "1", capsys)) == ["study/1/seed-0", "study/1/seed-1"]
    assert listed(folders[0], capsys)["study/0/seed-0"]["folder"] == str(folders[0])
    assert list(listed(tmp_path, capsys)) == ["study"]
    monkeypatch.chdir(tmp_path / "study")
    assert "study" in listed(Path(), capsys)


def test_unreadable_runs_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path / "good", 1)
    for name, file, content in (
        ("broken", "study.journal", '{"op_code": 0}\n'),
        ("cut", "config.yaml", "a: [1,"),
        ("other", "config.yaml", "a: 1"),
        ("half", "sweep.json", "{}"),
        ("list", "sweep.json", "[]"),
        ("bytes", "config.yaml", "\0"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(content)
    (tmp_path / "neither").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "study.journal").touch()  # a sweep that is starting
    assert command.main([str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == ["name", "good"]
    assert printed.err.startswith("6 folders could not be read, such as ") and printed.err.count("\n") == 1


def test_a_folder_that_may_not_be_read_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "good", 1)
    (tmp_path / "private").mkdir()
    is_file = Path.is_file

    def refuse(path: Path) -> bool:
        """As the system does of a folder of mode 700 to another user than root."""
        if path.parent.name == "private":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    assert command.main([str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == ["name", "good"]
    assert printed.err.startswith(f"1 folder could not be read, such as {tmp_path}/private (PermissionError: ")


def test_a_folder_without_runs_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"There is no study and no run in {tmp_path}.\n"
    assert command.main([str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"error: there is no folder {tmp_path / 'none'}.\n"


def test_a_terminal_gets_a_table_and_a_pipe_gets_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "a", 2)
    command.main([str(tmp_path)])
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "kind", "status", "progress", "score", "objective", "age"]
    assert line.split()[:9] == ["a", "run", "stopped", "2", "of", "5", "epochs", "best", "0.2000"]
    assert heading.index("progress") + len("progress") == line.index("epochs") + len("epochs")  # aligned to the right
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    command.main([str(tmp_path)])
    drawn = Text.from_ansi(capsys.readouterr().out).plain
    assert "│ a " in drawn and "2 of 5 epochs" in drawn


NAMES = ["2026-11-25_13-20-05-123456", "a-rather-long-name-of-a-study-" * 3 + "end"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [80, 120])
def test_a_name_is_never_wrapped(
    name: str, width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / name, 2)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    command.main([str(tmp_path)])
    lines = Text.from_ansi(capsys.readouterr().out).plain.splitlines()
    (line,) = [line for line in lines if name in line]
    assert "2 of 5 epochs" in line and "0.2000" in line
    if name is NAMES[0]:
        assert {len(line) for line in lines} == {len(lines[0])} and len(lines[0]) <= width
        assert ("val/macro_f1" in line) == (width == 120)


def test_it_needs_neither_torch_nor_pandas(tmp_path: Path) -> None:
    make_run(tmp_path / "a", 2)
    code = (
        "import sys; from sweeps.ls.command import main; main(sys.argv[1:]);"
        "print(sorted({'torch', 'pandas', 'spectral.models'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
