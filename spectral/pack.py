"""python -m spectral.pack data=... out=FOLDER: pack a survey ahead of time."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

from pathlib import Path

import hydra
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.configs.commands import PackConfig, typed_command
from spectral.configs.data import readers
from spectral.errors import UserError

EXAMPLE = "python -m spectral.pack data=... out=FOLDER"


@hydra.main(version_base="1.3", config_path="../conf", config_name="pack")
@as_job
def main(config: DictConfig) -> None:
    command = typed_command(config, PackConfig, EXAMPLE)
    if command.data is None:
        raise UserError(f"data=... is missing: {EXAMPLE}.")
    # Imports pandas and Arrow, which takes a second: a mistake on the command line is found before.
    from spectral.data.packing.pack import pack
    from spectral.survey import Survey
    from spectral.terminal import Terminal

    reader = readers.build(command.data)
    if isinstance(reader, Survey):
        raise UserError(f"data=packed is packed already, in {reader.folder}.")
    survey = pack(reader, command.data, Path(command.out))
    console = Terminal()
    classes = ", ".join(survey.class_names) or "none"
    console.print(f"{len(survey)} spectra of {survey.length} points, classes {classes}", markup=False, soft_wrap=True)
    for reason, count in survey.skipped.items():
        console.print(f"skipped {count}: {reason}", markup=False)
    console.print(f"use it with: python run.py data=packed data.folder={command.out}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    run_command(main)
