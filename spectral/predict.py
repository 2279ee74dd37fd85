"""python -m spectral.predict run=FOLDER data=... out=FILE: classify spectra with a run."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
import numpy as np
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.configs.commands import PredictConfig, typed_command
from spectral.errors import UserError, nearest

if TYPE_CHECKING:
    import pandas as pd

EXAMPLE = "python -m spectral.predict run=FOLDER data=... out=FILE"
FORMATS = {".csv": "csv", ".parquet": "parquet"}
NOT_KEPT = ("class_index", "length")  # of the pack, not of the source


@hydra.main(version_base="1.3", config_path="../conf", config_name="predict")
@as_job
def main(config: DictConfig) -> None:
    command = typed_command(config, PredictConfig, EXAMPLE)
    if command.data is None:
        raise UserError(f"data=... is missing: {EXAMPLE}.")
    out = Path(command.out)
    kind = output_format(command.format, out)
    check_keep_columns(command.keep_columns, kind)
    # Imports torch, which takes seconds: a mistake on the command line is found before.
    import pandas as pd

    from spectral.files import write_bytes, write_parquet
    from spectral.inference.run_and_data import open_run_and_data
    from spectral.scoring.console import print_doubt
    from spectral.scoring.scores import predictions_frame
    from spectral.terminal import Terminal

    predictor, survey, doubt = open_run_and_data(command)
    probabilities = predictor.probabilities(survey, np.arange(len(survey)))
    decided, ids = predictor.decide(probabilities), survey.catalog["id"].to_numpy()
    frame = predictions_frame(ids, probabilities, decided, predictor.classifier.class_names)
    if kind in ("csv", "contest"):
        frame = frame[["id", "predicted"]]
    kept = kept_columns(command.keep_columns, survey.catalog, [str(name) for name in frame])
    frame = pd.concat([frame, kept], axis=1)
    if kind == "parquet":
        write_parquet(out, frame)
    else:
        write_bytes(out, frame.to_csv(index=False, header=kind != "contest").encode())
    console = Terminal()
    console.print(f"{len(frame)} predictions written to {out}", markup=False, highlight=False, soft_wrap=True)
    for reason, count in survey.skipped.items():
        console.print(f"skipped {count}: {reason}", markup=False, highlight=False)
    print_doubt(console, doubt)


def check_keep_columns(asked: Any, kind: str) -> None:
    """Raise UserError unless it is true, false or a list of names, and the format can hold more columns."""
    is_list = isinstance(asked, list | str) and all(isinstance(name, str) for name in asked)
    if not is_list and not isinstance(asked, bool):
        raise UserError(f"keep_columns={asked} is not allowed: give true, false or a list of column names.")
    if asked and kind == "contest":
        raise UserError("keep_columns needs a file with a header, which format=contest does not have: leave out one.")


def kept_columns(asked: bool | str | list[str], catalog: "pd.DataFrame", written: list[str]) -> "pd.DataFrame":
    """The columns of a catalog that are asked for, one row per spectrum.

    Args:
        written: columns of the file already.

    Raises:
        UserError: the catalog has no such column, or the file has one of that name.
    """
    there = [str(name) for name in catalog if name not in (*NOT_KEPT, *written)]
    names = there if asked is True else [asked] if isinstance(asked, str) else list(asked or [])
    for name in names:
        if name not in there:
            raise UserError(f"keep_columns={name} is no column that the data has besides: {nearest(name, there)}.")
    return catalog[names].reset_index(drop=True)


def output_format(asked: str, out: Path) -> str:
    """The format asked for, or by `auto` that of the file's ending.

    Raises:
        UserError: an unknown ending.
    """
    if asked != "auto":
        return asked
    if out.suffix not in FORMATS:
        raise UserError(f"out={out} has no known ending: end it in {' or '.join(FORMATS)}, or give format=contest.")
    return FORMATS[out.suffix]


if __name__ == "__main__":
    run_command(main)
