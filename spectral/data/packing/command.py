"""From the config of `spectral.pack` to what it does: all, a shard, or shards as jobs. Light until it begins."""

from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from spectral.configs.commands import PackConfig, typed_command
from spectral.configs.data import readers
from spectral.configs.pasted_overrides import pasted_text
from spectral.errors import UserError

if TYPE_CHECKING:
    from spectral.data.packing.steps import Packing
    from spectral.survey import Survey

EXAMPLE = "python -m spectral.pack data=... out=FOLDER"


def run_pack(config: DictConfig) -> None:
    """Pack the survey of a command. Importable by name: a launcher sends it to other processes.

    Raises:
        UserError: a mistake in the command or the data.
    """
    command = typed_command(config, PackConfig, EXAMPLE)
    if command.data is None:
        raise UserError(f"data=... is missing: {EXAMPLE}.")
    # Imports pandas and Arrow, which takes a second: a mistake on the command line is found before.
    from spectral.data.packing.pack import pack, pack_shards
    from spectral.survey import Survey

    reader = readers.build(command.data, cache_dir=Path(command.cache_dir))
    if isinstance(reader, Survey):
        raise UserError(f"data=packed is packed already, in {reader.folder}.")
    if command.shards == 1:
        survey: Survey | None = pack(reader, command.data, command.out)
    else:
        make = launch_shards if command.shard is None else _make_shard
        survey = pack_shards(reader, command.data, command.out, command.shards, lambda packing: make(command, packing))
    _print(command, survey)


def launch_shards(command: PackConfig, packing: "Packing") -> None:
    """Make the parts by jobs of the launcher, and show how far they are. A shard that is done has no job."""
    from spectral.cli.jobs import run_shards
    from spectral.cli.progress import SpectraProgress

    num = min(command.shards, packing.num_parts)
    left = [shard for shard in range(num) if packing.missing(num, shard)]
    with SpectraProgress("packing", "Packed", packing.num_spectra, packing.num_done()) as progress:
        run_shards(run_pack, left, num, packing.folder, lambda: progress.reach(packing.num_done()))


def _make_shard(command: PackConfig, packing: "Packing") -> None:
    packing.make_parts(command.shards, command.shard)


def _print(command: PackConfig, survey: "Survey | None") -> None:
    from spectral.terminal import Terminal

    console = Terminal()
    if survey is None:
        console.print(f"shard {command.shard} of {command.shards} is done; others are not yet")
        return
    classes = ", ".join(survey.class_names) or "none"
    console.say(f"{len(survey)} spectra of {survey.length} points, classes {classes}")
    for reason, count in survey.skipped.items():
        console.say(f"skipped {count}: {reason}")
    console.say(f"use it with: python run.py data=packed {pasted_text('data.folder', command.out)}")
