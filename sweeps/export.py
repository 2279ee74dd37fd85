"""A study as a table: `python -m sweeps.export STUDY --format csv`, one row per trial.

STUDY is the name of a study (a folder under outputs/sweeps) or its folder; with --storage, its name in that storage.
"""

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.cli import end_with, mistake
from sweeps.errors import user_error_type
from sweeps.files import write_output

if TYPE_CHECKING:
    import pandas as pd


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m sweeps.export", description="A study as a table, one row per trial.")
    parser.add_argument("study", help="name of a study, or its folder")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--out", type=Path, help="file to write; CSV goes to the terminal without it")
    parser.add_argument("--storage", help="URL of the storage, if the study's folder does not name it")
    given = parser.parse_args(arguments)
    if given.format == "parquet" and given.out is None:
        parser.error("--format parquet needs --out FILE")
    try:
        frame = study_table(given.study, given.storage)
        if given.out is not None:
            write_output(given.out, _content(frame, given.format), f"--out {given.out}")
            print(f"{given.out}: {len(frame)} trials, {len(frame.columns)} columns")
    except (LookupError, user_error_type()) as error:
        return mistake(error.args[0])
    if given.out is None:
        frame.to_csv(sys.stdout, index=False)
    return 0


def study_table(study: str, url: str | None = None) -> "pd.DataFrame":
    """One row per trial, with the columns of sweeps.results.trial_row.row.

    Args:
        study: a name, or its folder.
        url: of the storage, if the folder does not name it.

    Raises:
        LookupError: there is no such study.
        UserError: the URL is not valid, or holds a password.
    """
    import pandas as pd
    from optuna.trial import TrialState, create_trial

    from sweeps.results.trial_row import axes_of, row
    from sweeps.study.attributes import IDENTITY
    from sweeps.study.find import load_study, study_folder

    loaded, folder = load_study(study, url), study_folder(study)
    trials = loaded.get_trials(deepcopy=False)
    identity = loaded.user_attrs.get(IDENTITY, {})
    objectives = identity.get("objectives") or [f"objective {i}" for i in range(len(loaded.directions))]
    axes = list(dict.fromkeys([*identity.get("space", {}), *axes_of(trials)]))
    # A study without trials has the same columns.
    columns = list(row(create_trial(state=TrialState.WAITING), objectives, axes, None))
    here = folder and folder.absolute()
    rows = [row(trial, objectives, axes, here) for trial in trials]
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    return table.apply(_of_one_type)


def _of_one_type(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Make a column that Parquet can hold: lists, mappings, several types and too large integers become text."""
    from sweeps.space.values import text

    kinds = {type(value) for value in column if value is not None}
    if kinds & {list, dict} or len(kinds - {int, float}) > 1 or (kinds & {int, float} and kinds - {int, float}):
        return column.map(lambda value: None if value is None else text(value))
    typed = column.infer_objects()
    if kinds != {int} or typed.dtype.kind in "iu":
        return typed
    # Integers of which some are missing became decimals, which cut the last digits of large ones.
    low, high = column.dropna().min(), column.dropna().max()
    if low >= -(2**63) and high < 2**63:
        return column.astype("Int64")
    if low >= 0 and high < 2**64:
        return column.astype("UInt64")
    return column.map(lambda value: None if value is None else str(value))


def _content(frame: "pd.DataFrame", form: str) -> bytes:
    content = io.BytesIO()
    if form == "parquet":
        frame.to_parquet(content, index=False)
    else:
        frame.to_csv(content, index=False)
    return content.getvalue()


if __name__ == "__main__":
    end_with(main)
