"""A study as a table: `python -m sweeps.export STUDY --format csv`, a row a trial.

STUDY is a study's name (a folder under outputs/sweeps), or a folder; with --storage its name in another storage.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.errors import user_error_type

if TYPE_CHECKING:
    import pandas as pd


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.export", description="A study as a table, a row a trial.")
    parser.add_argument("study", help="name of a study, or its folder")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--out", type=Path, help="file to write; CSV goes to the terminal without it")
    parser.add_argument("--storage", help="URL, where the study is not kept in its folder")
    given = parser.parse_args(arguments)
    if given.format == "parquet" and given.out is None:
        parser.error("--format parquet needs --out FILE")
    try:
        frame = study_table(given.study, given.storage)
    except (LookupError, user_error_type()) as error:
        print(f"error: {error.args[0]}", file=sys.stderr)
        return 2
    try:
        if given.format == "parquet":
            frame.to_parquet(given.out, index=False)
        else:
            frame.to_csv(given.out or sys.stdout, index=False)
    except OSError as error:
        print(f"error: --out {given.out} cannot be written: {error.strerror or error}.", file=sys.stderr)
        return 2
    return 0


def study_table(study: str, url: str | None = None) -> "pd.DataFrame":
    """A row a trial: number, state, objectives, every axis, seconds, run folder, reason, ... (sweeps.rows.row).

    Args:
        study: a name, or a folder with a study.journal.
        url: of the storage, where it is not the folder's own.

    Raises:
        LookupError: there is no such study.
        UserError: a URL that no database has, or with a password.
    """
    import pandas as pd

    from sweeps.opening import load_study
    from sweeps.rows import axes_of, row
    from sweeps.study import IDENTITY

    loaded = load_study(study, url)
    trials = loaded.get_trials(deepcopy=False)
    known = loaded.user_attrs.get(IDENTITY, {})
    objectives = known.get("objectives") or [f"objective {i}" for i in range(len(loaded.directions))]
    axes = list(dict.fromkeys([*known.get("space", {}), *axes_of(trials)]))
    return pd.DataFrame([_flat(row(trial, objectives, axes)) for trial in trials])


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Lists and mappings as text: a column has one type."""
    from sweeps.space.values import text

    return {name: text(value) if isinstance(value, list | dict) else value for name, value in row.items()}


if __name__ == "__main__":
    sys.exit(main())
