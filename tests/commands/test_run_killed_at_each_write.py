"""A run that is killed at any of its writes ends, after the same command, as one that was never killed."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from kill_matrix import Command, apart, bad, rows_of
from killing import Event
from small_runs import outcome, result


def call(folder: Path) -> None:
    import warm  # trains, so a process imports it that runs this

    warm.run(warm.CONFIG, folder / "pack", folder / "run")


def call_with_plots(folder: Path) -> None:
    import warm

    warm.run(warm.WITH_PLOTS, folder / "pack", folder / "run")


def call_with_snapshots(folder: Path) -> None:
    import warm

    warm.run(warm.WITH_SNAPSHOTS, folder / "pack", folder / "run")


def epochs_lost(folder: Path) -> Callable[[str], str]:
    """Which epochs had their row and were trained again; the numbers are the same."""
    metrics = folder / "run" / "metrics.jsonl"
    lines = metrics.read_text().split("\n")[:-1] if metrics.exists() else []  # the last one may be cut
    before = {json.loads(line)["epoch"] for line in lines}

    def lost(printed: str) -> str:
        again = sorted(before & {int(epoch) for epoch in re.findall(r"^epoch +(\d+)/", printed, re.MULTILINE)})
        return f"nothing; epoch {again[0]} was trained again" if again else "nothing"

    return lost


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    import warm

    return warm.make_pack(tmp_path)


class Whole:
    """The command as it ends when it is not killed: the first call keeps it, the later ones compare with it."""

    def __init__(self, pack: Path, command: Callable[[Path], None]) -> None:
        self.pack, self.expected = pack, None
        self.command = Command(apart(command), self.prepare, epochs_lost, self.wrong)

    def prepare(self, folder: Path) -> None:
        shutil.copytree(self.pack, folder / "pack")

    def wrong(self, folder: Path, _printed: str) -> str:
        files = {path.relative_to(folder) for path in folder.rglob("*")}
        tables = [path.read_bytes() for path in sorted(folder.rglob("*.parquet"))]
        snapshots = [
            (result(path), (path / "best.safetensors").read_bytes(), (path / "config.yaml").read_bytes())
            for path in sorted(folder.glob("run/snapshots/*"))
        ]
        found = (*outcome(folder / "run"), files, tables, snapshots)
        self.expected = self.expected or found
        return "" if found == self.expected else "it differs"


@pytest.mark.slow
def test_a_run_killed_at_any_write(pack: Path, tmp_path: Path) -> None:
    whole = Whole(pack, call)
    (tmp_path / "kills").mkdir()
    assert not bad(rows_of(whole.command, tmp_path / "kills"))


@pytest.mark.slow
def test_a_run_with_snapshots_killed_at_any_write_of_them(pack: Path, tmp_path: Path) -> None:
    whole = Whole(pack, call_with_snapshots)
    (tmp_path / "kills").mkdir()

    def of_snapshots(event: Event, _nth: int, _num: int) -> bool:
        return event.file.startswith("run/snapshots/")

    assert not bad(rows_of(whole.command, tmp_path / "kills", of_snapshots))


@pytest.mark.slow
def test_a_run_killed_while_it_draws(pack: Path, tmp_path: Path) -> None:
    whole = Whole(pack, call_with_plots)
    (tmp_path / "kills").mkdir()

    def of_plots(event: Event, _nth: int, _num: int) -> bool:
        return event.call == "rename" and event.file.startswith("run/plots/")

    assert not bad(rows_of(whole.command, tmp_path / "kills", of_plots))
