"""The command line of `python -m sweeps.ls`."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sweeps.cli import mistake
from sweeps.errors import user_error_type
from sweeps.ls.entry import Entry
from sweeps.ls.runs import is_run, read_run
from sweeps.ls.studies import is_study, read_study
from sweeps.outputs import OUTPUTS, places_in

COLUMNS = ("name", "kind", "status", "progress", "score", "objective", "age")
NUMBERS = ("progress", "score", "age")
FIRST_LEFT_OUT = ("kind", "objective")  # columns, on a narrow terminal; the column `progress` implies the kind
SEEDS = "seed-*"


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
        from sweeps.console.tables import Column, print_table

        cells = zip(*(entry.cells() for entry in entries), strict=True)
        columns = [Column(heading, of_all, heading in NUMBERS) for heading, of_all in zip(COLUMNS, cells, strict=True)]
        print_table(columns, first_left_out=FIRST_LEFT_OUT)
    else:
        print(f"There is no study and no run in {given.folder}.")
    if unreadable:
        _print_unreadable(unreadable)
    return 0


def read_all(folder: Path) -> tuple[list[Entry], list[tuple[Path, str]]]:
    """The studies and runs in a folder, in its `sweeps` and in its `runs`, the latest first; and unreadable folders.

    The folder itself may also be a study or a run. With each unreadable folder comes the reason.
    """
    entries, unreadable = [], []
    for path in _folders(folder):
        try:
            entry = _read(path, is_job=path.name.isdecimal() and path.parent not in places_in(folder))
        except user_error_type() as error:
            unreadable.append((path, str(error).rstrip(".")))
        except Exception as error:  # a folder may hold anything; the others must still be shown
            unreadable.append((path, f"{type(error).__name__}: {error}".splitlines()[0]))
        else:
            entries.extend([entry] if entry else [])
    return sorted(entries, key=lambda entry: -entry.changed_s), unreadable


def _folders(folder: Path) -> Iterator[Path]:
    yield folder
    places = places_in(folder)
    for place in places:
        for path in sorted(path for path in place.glob("*") if path.is_dir() and path not in places):
            yield path
            yield from sorted(path.glob(SEEDS))
            with suppress(OSError):  # of a folder that may not be read: `_read` says it
                if not is_study(path):
                    yield from sorted(job for job in path.glob("*") if job.name.isdecimal())


def _read(folder: Path, is_job: bool) -> Entry | None:
    found: Entry | None = None
    if is_study(folder):
        found = read_study(folder)
    elif is_run(folder):
        found = read_run(folder)
    return replace(found, name=_name(folder, is_job)) if found else None


def _name(folder: Path, is_job: bool) -> str:
    """The name of a study or run. Names of trials, seeds and jobs repeat, so that of the whole comes before them.

    Args:
        is_job: whether it is a run of a multirun without a study, such as `spectral.baseline -m`.
    """
    whole = folder.absolute()
    outermost = whole.parent if whole.match(SEEDS) or is_job else whole
    outermost = outermost.parent if is_study(outermost.parent) else outermost
    return str(whole.relative_to(outermost.parent))


def _print_unreadable(unreadable: list[tuple[Path, str]]) -> None:
    what = "1 folder" if len(unreadable) == 1 else f"{len(unreadable)} folders"
    path, reason = unreadable[0]
    print(f"{what} could not be read, such as {path} ({reason}).", file=sys.stderr)
