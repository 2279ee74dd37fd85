"""The command line of the list."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from sweeps.command_line import mistake
from sweeps.ls.entry import Entry
from sweeps.ls.runs import is_run, read_run
from sweeps.ls.studies import is_study, read_study

OUTPUTS = Path("outputs")
COLUMNS = ("name", "kind", "status", " progress", " best", "objective", " age")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.ls", description="Studies and single runs, the latest first.")
    parser.add_argument("folder", nargs="?", type=Path, default=OUTPUTS, help="where to look (default: outputs)")
    parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        return mistake(f"there is no folder {given.folder}.")
    entries, unreadable = read_all(given.folder)
    if given.json:
        print(json.dumps([entry.as_json() for entry in entries], indent=2))
    elif entries:
        from sweeps.tables import print_table

        print_table(COLUMNS, [entry.cells() for entry in entries])
    else:
        print(f"There is no study and no run in {given.folder}.")
    if unreadable:
        _tell(unreadable)
    return 0


def read_all(folder: Path) -> tuple[list[Entry], list[tuple[Path, str]]]:
    """The studies and runs in a folder, or in its `sweeps` and `runs`, the latest first; and what could not be read."""
    entries, unreadable = [], []
    for path in _folders(folder):
        try:
            entry = _read(path)
        except Exception as error:  # anything may lie in such a folder, and the others are to be shown
            unreadable.append((path, f"{type(error).__name__}: {error}".splitlines()[0]))
        else:
            entries.extend([entry] if entry else [])
    return sorted(entries, key=lambda entry: -entry.changed_s), unreadable


def _folders(folder: Path) -> Iterator[Path]:
    for place in (folder, folder / "sweeps", folder / "runs"):
        yield from sorted(path for path in place.glob("*") if path.is_dir())


def _read(folder: Path) -> Entry | None:
    if is_study(folder):
        return read_study(folder)
    return read_run(folder) if is_run(folder) else None


def _tell(unreadable: list[tuple[Path, str]]) -> None:
    what = "1 folder" if len(unreadable) == 1 else f"{len(unreadable)} folders"
    path, reason = unreadable[0]
    print(f"{what} could not be read, such as {path} ({reason}).", file=sys.stderr)
