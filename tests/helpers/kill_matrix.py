"""End a command at each of its writes, give it again, and see what was lost: a table, which `pytest -s` shows."""

import glob
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Protocol

from forks import run_apart
from killing import Event, Kill, events

GOOD = "as never killed"
SAME = ("fsync", "mkdir")  # a kill leaves what one at the next call does, for these calls


class Run(Protocol):
    """Runs a command on the folder of all its files to its end, or to the kill; returns its exit status."""

    def __call__(self, folder: Path, *, output: Path, kill: Kill | None = None) -> int: ...


@dataclass
class Command:
    """A command that is killed, and given again.

    Args:
        run: runs it.
        prepare: makes what stands in the folder before it.
        lost: what a kill took, by the folder as it was left and the output of the command after it.
        wrong: what is wrong in the folder after the command was given again; empty if nothing is.
    """

    run: Run
    prepare: Callable[[Path], None]
    lost: Callable[[Path], Callable[[str], str]]
    wrong: Callable[[Path, str], str]


@dataclass
class Row:
    """What came of a kill."""

    process: str
    moment: str
    file: str
    lost: str
    after_resume: str


Chosen = Callable[[Event, int, int], bool]  # by the call, the how manyth such call, and how many there are


def every(_event: Event, _nth: int, _num: int) -> bool:
    return True


def first_and_last(_event: Event, nth: int, num: int) -> bool:
    return nth in (1, num)


def apart(function: Callable[[Path], None]) -> Run:
    """How to run a function of the folder, in a process of its own."""

    def run(folder: Path, *, output: Path, kill: Kill | None = None) -> int:
        return run_apart(function, folder, output=output, kill=kill)

    return run


def rows_of(command: Command, base: Path, is_chosen: Chosen = every) -> list[Row]:
    """Kill a command at each of its calls that are chosen.

    Args:
        base: an empty folder.
    """
    folder, log, output = base / "folder", base / "events", base / "output"
    seen = _uninterrupted(command, folder, log, output)
    rows = []
    print("| process | moment | file | lost | after the same command |\n|---|---|---|---|---|")
    for kill, event in _kills(folder, log, seen, is_chosen):
        _begin(command, folder, log)
        status = command.run(folder, output=output, kill=kill)
        row = Row(event.role, f"{kill.moment} {event.call} {kill.nth}", event.file, "", f"not killed: {status}")
        if kill.has_ended_one():
            row.lost, row.after_resume = _again(command, folder, output)
        rows.append(row)
        print(f"| {' | '.join(astuple(row))} |", flush=True)
    assert rows, "no call was chosen, so nothing was killed"
    return rows


def _again(command: Command, folder: Path, output: Path) -> tuple[str, str]:
    """Give the command again: what was lost, and what came of it."""
    lost = command.lost(folder)
    status = command.run(folder, output=output)
    printed = output.read_text()
    wrong = f"status {status}: {printed[-300:]}" if status else command.wrong(folder, printed) or left_over(folder)
    return lost(printed), wrong or GOOD


def _begin(command: Command, folder: Path, log: Path) -> None:
    Kill(str(folder), str(log)).forget()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command.prepare(folder)


def _uninterrupted(command: Command, folder: Path, log: Path, output: Path) -> list[Event]:
    _begin(command, folder, log)
    noted = Kill(str(folder), str(log))
    status = command.run(folder, output=output, kill=noted)
    assert status == 0, output.read_text()
    assert not command.wrong(folder, output.read_text())
    return events(noted)


def _kills(folder: Path, log: Path, seen: list[Event], is_chosen: Chosen) -> Iterator[tuple[Kill, Event]]:
    """Before each call, which is after the one before it too; in the middle of the first of several writes."""
    nth, num = Counter[Event](), Counter(seen)
    for at, event in enumerate(seen):
        nth[event] += 1
        is_same = event.call in SAME or (at and event == seen[at - 1])
        if not is_same and is_chosen(event, nth[event], num[event]):
            moment = "half" if event.call == "write" else "before"
            where = (event.call, glob.escape(event.file), moment, event.role)
            yield Kill(str(folder), str(log), nth[event], *where), event


def left_over(folder: Path) -> str:
    """The part files in a folder."""
    parts = [str(path.relative_to(folder)) for path in folder.rglob("*.part")]
    return f"left over: {' '.join(parts)}" if parts else ""


def bad(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.after_resume != GOOD]
