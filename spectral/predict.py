"""python -m spectral.predict run=FOLDER data=... out=FILE: classify spectra with a run."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

from pathlib import Path

import hydra
import numpy as np
from omegaconf import DictConfig
from rich.console import Console

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.configs.commands import PredictConfig, typed_command
from spectral.errors import UserError

EXAMPLE = "python -m spectral.predict run=FOLDER data=... out=FILE"
FORMATS = {".csv": "contest", ".parquet": "parquet"}


@hydra.main(version_base="1.3", config_path="../conf", config_name="predict")
@as_job
def main(config: DictConfig) -> None:
    command = typed_command(config, PredictConfig, EXAMPLE)
    if command.data is None:
        raise UserError(f"data=... is missing: {EXAMPLE}.")
    out = Path(command.out)
    kind = output_format(command.format, out)
    # Imports torch, which takes seconds: a mistake on the command line is found before.
    from spectral.files import write_bytes, write_parquet
    from spectral.inference.run_and_data import open_run_and_data
    from spectral.scoring.scores import predictions_frame

    predictor, survey = open_run_and_data(command)
    probabilities = predictor.probabilities(survey, np.arange(len(survey)))
    decided, ids = predictor.decide(probabilities), survey.catalog["id"].to_numpy()
    frame = predictions_frame(ids, probabilities, decided, predictor.classifier.class_names)
    if kind == "parquet":
        write_parquet(out, frame)
    elif kind == "probabilities":
        write_bytes(out, frame.to_csv(index=False).encode())
    else:
        write_bytes(out, frame[["id", "predicted"]].to_csv(index=False, header=False).encode())
    Console().print(f"{len(frame)} predictions written to {out}", markup=False, highlight=False, soft_wrap=True)
    for reason, count in survey.skipped.items():
        Console().print(f"skipped {count}: {reason}", markup=False, highlight=False)


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
