"""The command line of `python -m sweeps.ensemble`."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweeps.cli import mistake
from sweeps.errors import user_error, user_error_type

DEFAULT_TOP = 20
SHOWN = 20  # members in the table


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    given = _parser().parse_args(arguments)
    from sweeps.ensemble.members import member_folders, snapshots_of

    try:
        folders = member_folders(given.runs, given.top, given.storage)
        folders = snapshots_of(folders) if given.snapshots else folders
        # Imports torch, which takes seconds: a wrong name is found before.
        from spectral.ensembling.make import EnsembleOptions, make_ensemble
        from spectral.ensembling.test_scores import has_test, score_test
        from spectral.runtime import find_device

        is_there = any(map(has_test, folders))
        if given.score_test and not is_there:
            raise user_error("--score-test cannot be had: the runs have no test split, so leave it out.")
        if given.device is not None and not given.score_test:
            raise user_error("--device is that of --score-test, without which no network runs: leave it out.")
        if given.device is not None:
            find_device(given.device)
        result = make_ensemble(folders, given.out, EnsembleOptions(given.select, given.num_bags, given.seed))
        if given.score_test and not result["score_test"]:
            result = score_test(given.out, given.device)
    except (LookupError, user_error_type()) as error:
        return mistake(error.args[0])
    _show(result, given.out)
    if is_there and not result["score_test"]:
        print("Its test split has not been scored: the same command with --score-test does that.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m sweeps.ensemble", description="Average finished runs into one folder that is used as a run."
    )
    what = (
        "a run (its folder, or its name in outputs), STUDY:NUMBER for a trial, or STUDY for its best trials; all seeds "
        "and folds of a trial are taken"
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help=what)
    parser.add_argument("--out", type=Path, required=True, help="folder of the ensemble; one that is there is replaced")
    parser.add_argument("--snapshots", action="store_true", help="in place of each run its snapshots")
    parser.add_argument("--top", type=_count, default=DEFAULT_TOP, help="trials of a study (default: %(default)s)")
    parser.add_argument(
        "--select",
        choices=("greedy", "all"),
        default="greedy",
        help="greedy: with replacement, for macro-F1 on validation; all: each with the same weight (default: greedy)",
    )
    parser.add_argument("--num-bags", type=_count, default=20, help="of the greedy selection (default: %(default)s)")
    parser.add_argument("--seed", type=_seed, default=0, help="of the bags (default: %(default)s)")
    parser.add_argument("--score-test", action="store_true", help="score the test split too, if members held it back")
    parser.add_argument("--device", help="of --score-test: auto, cpu, mps, cuda, or cuda:1 (default: that of the runs)")
    parser.add_argument("--storage", help="URL of the storage, if the study's folder does not name it")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 on")
    return int(text)


def _show(result: Mapping[str, Any], out: Path) -> None:
    from spectral.scoring.console import print_result
    from spectral.terminal import Terminal
    from sweeps.console.tables import Column, print_table

    members = sorted(result["ensemble"]["members"], key=lambda member: -member["weight"])
    shown = members[:SHOWN]
    print_table(
        [
            Column("member", [str(member["run"]) for member in shown]),
            Column("weight", [f"{member['weight']:.4f}" for member in shown], is_number=True),
            Column("val/macro_f1", [_score(member["val/macro_f1"]) for member in shown], is_number=True),
        ]
    )
    if len(members) > len(shown):
        print(f"and {len(members) - len(shown)} more")
    num = len(result["ensemble"]["runs"])
    if num > len(members):
        why = "since the average is no better on validation with more. --select all takes all"
        if result["ensemble"]["select"] == "all":
            why = "since a network that is named twice counts once, and folds need the same snapshots"
        print(f"Left out: {num - len(members)} of {num} runs, {why}.")
    print_result(Terminal(), result, out)


def _score(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "-"
