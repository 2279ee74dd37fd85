"""The command line of `python -m sweeps.compare`."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweeps.cli import mistake
from sweeps.errors import user_error_type

if TYPE_CHECKING:
    from sweeps.compare.subjects import Subject
    from sweeps.console.tables import Column


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.compare", description="Configs and metrics of runs, compared.")
    what = (
        "a run (its folder, or its name in outputs), a folder of spectral.evaluate out=FOLDER, STUDY:NUMBER for a "
        "trial, or STUDY for its best trial"
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help=what)
    parser.add_argument("--all", action="store_true", help="also show equal config values, and every metric")
    parser.add_argument("--storage", help="URL of the storage, if the study's folder does not name it")
    given = parser.parse_args(arguments)
    if len(given.runs) < 2:
        return mistake(f"there is nothing to compare {given.runs[0]} with: name two or more.")
    from sweeps.compare.subjects import find_subject

    try:
        _show([find_subject(named, given.storage) for named in given.runs], given.all)
    except (LookupError, user_error_type()) as error:
        return mistake(error.args[0])
    return 0


def _show(subjects: "Sequence[Subject]", show_all: bool) -> None:
    from sweeps.compare.differences import config_rows, metric_rows
    from sweeps.console.tables import print_table
    from sweeps.results.seeds_or_folds import replicate

    names = [subject.name for subject in subjects]
    for sentence in dict.fromkeys(sentence for subject in subjects for sentence in subject.left_out):
        print(sentence)
    for subject in subjects:
        if num := len(subject.runs[0].members):
            networks = f"{num} network{'s' * (num != 1)}"
            print(f"{subject.name} is an ensemble of {networks}: its config is that of its first candidate.")
    rows = config_rows(subjects, show_all)
    if rows:
        print_table(_columns(["config", *names], rows, has_numbers=False))
    else:
        print("The configs do not differ.")
    others = [heading for name in names[1:] for heading in (name, "difference")]
    if rows := metric_rows(subjects, show_all):
        print()
        print_table(_columns(["metric", names[0], *others], rows, has_numbers=True))
    for subject in subjects:
        if not subject.is_finished:
            _print_ending(subject)
        if len(subject.runs) > 1:
            print(f"The metrics of {subject.name} are means over {len(subject.runs)} {replicate(subject.runs)}s.")
    _show_paired(subjects)


def _columns(headings: Sequence[str], rows: Sequence[Sequence[str]], has_numbers: bool) -> "list[Column]":
    """The columns of a table whose first one names the rows."""
    from sweeps.console.tables import Column

    return [
        Column(heading, cells, is_number=has_numbers and i > 0, is_wrapped=True)
        for i, (heading, cells) in enumerate(zip(headings, zip(*rows, strict=True), strict=True))
    ]


def _print_ending(subject: "Subject") -> None:
    from sweeps.compare.unfinished import ending_sentence

    several = len(subject.runs) > 1
    for run in subject.runs:
        print(ending_sentence(run, f"{run.path.name} of {subject.name}" if several else subject.name))


def _show_paired(subjects: "Sequence[Subject]") -> None:
    from sweeps.compare.paired import paired_lines

    first, *others = subjects
    print()
    for other in others:
        if first.is_finished and other.is_finished:
            print("\n".join(paired_lines(first, other)))
