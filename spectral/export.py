"""python -m spectral.export run=FOLDER out=model.onnx: write a run as a file for other programs."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

from pathlib import Path

import hydra
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.configs.commands import ExportConfig, typed_command
from spectral.errors import UserError

EXAMPLE = "python -m spectral.export run=FOLDER out=model.onnx"
FORMATS = {".onnx": "onnx", ".md": "card"}


@hydra.main(version_base="1.3", config_path="../conf", config_name="export")
@as_job
def main(config: DictConfig) -> None:
    command = typed_command(config, ExportConfig, EXAMPLE)
    out = Path(command.out)
    kind = output_format(command.format, out)
    # Imports torch, which takes seconds: a mistake on the command line is found before.
    from spectral.exporting.model_card import write_card
    from spectral.runs.folder import RunFolder
    from spectral.runs.mixtures import trained_on_mixtures
    from spectral.terminal import Terminal

    folder, console = RunFolder.existing(command.run), Terminal()
    is_mixed = trained_on_mixtures(folder)
    card = out if kind == "card" else out.with_suffix(".md")
    if kind == "onnx":
        from spectral.exporting.onnx_file import write_onnx

        check = write_onnx(folder, out, is_mixed)
        console.say(f"model written to {out}; {check}")
    said, kept = f"model card written to {card}", f"{card} has another text than the run gives, perhaps yours"
    if not write_card(folder, card, command.overwrite, is_mixed):
        if kind == "card":
            raise UserError(f"{kept}: overwrite=true replaces it.")
        said = f"model card not written: {kept}; overwrite=true replaces it"
    console.say(said)


def output_format(asked: str, out: Path) -> str:
    """The format asked for, or by `auto` that of the file's ending.

    Raises:
        UserError: an unknown ending, a model without its own, or a card with that of a model.
    """
    if asked == "auto" and out.suffix not in FORMATS:
        raise UserError(f"out={out} has no known ending: end it in {' or '.join(FORMATS)}.")
    if asked == "onnx" and out.suffix != ".onnx":
        raise UserError(f"out={out} has another ending than format=onnx, which needs .onnx.")
    if asked == "card" and out.suffix == ".onnx":
        raise UserError(f"out={out} has the ending of a model, and format=card writes Markdown: end it in .md.")
    return FORMATS[out.suffix] if asked == "auto" else asked


if __name__ == "__main__":
    run_command(main)
