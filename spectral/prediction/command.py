"""From the config of `spectral.predict` to what it does: all, a shard, or shards as jobs. Light until it begins."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from spectral.configs.commands import PredictConfig, typed_command
from spectral.errors import UserError
from spectral.prediction.finished import check_begun_or_own
from spectral.prediction.protected_inputs import check_keeps_inputs

if TYPE_CHECKING:
    from spectral.prediction.work import Work

log = logging.getLogger(__name__)

EXAMPLE = "python -m spectral.predict run=FOLDER data=... out=FILE"
FORMATS = {".csv": "csv", ".parquet": "parquet", ".fits": "fits"}
NEEDS_HEADER = ("keep_columns", "reject", "reject_below")  # keys that add columns


def run_predict(config: DictConfig) -> None:
    """Classify the spectra of a command. Importable by name: a launcher sends it to other processes.

    Raises:
        UserError: a mistake in the command, the run or the data.
    """
    command = typed_command(config, PredictConfig, EXAMPLE)
    if command.data is None:
        raise UserError(f"data=... is missing: {EXAMPLE}.")
    _refuse_on_bad_of_packing()
    check_keeps_inputs(command)
    _check_out(Path(command.out), command.overwrite)
    kind = output_format(command.format, Path(command.out))
    _check_columns(command, kind)
    # Imports torch, which takes seconds: a mistake on the command line is found before.
    from spectral.prediction.run import predict

    predict(command, kind, make=launch_shards if command.shards > 1 and command.shard is None else None)


def launch_shards(command: PredictConfig, work: "Work") -> None:
    """Make the parts of a work by jobs of the launcher, and show how far they are. A shard that is done has no job."""
    from spectral.cli.jobs import run_shards
    from spectral.cli.progress import SpectraProgress
    from spectral.data.packing.shards import shard_of

    num = min(command.shards, len(work.spans))
    if num < command.shards:
        parts = f"{num:,} part{'s' * (num > 1)} of rows_per_part={work.rows_per_part}"
        log.info("shards=%s is more than there are parts: the data makes %s, a job for each.", command.shards, parts)
    left = [shard for shard in range(num) if not all(map(work.is_done, shard_of(work.spans, num, shard)))]
    with SpectraProgress("classifying", "Classified", work.num_rows, work.num_done()) as progress:
        run_shards(run_predict, left, num, work.out, lambda: progress.reach(work.num_done()), ["overwrite=false"])


def _refuse_on_bad_of_packing() -> None:
    """Raise UserError if the command line sets data.on_bad, which would do nothing."""
    given = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    for value in (override.partition("=")[2] for override in given if override.startswith("data.on_bad=")):
        raise UserError(f"data.on_bad={value} is an option of packing: here it is on_bad={value}.")


def _check_out(out: Path, overwrite: bool) -> None:
    """Raise UserError if no file can be made there, or if one is there that must not be replaced."""
    if out.is_dir():
        raise UserError(f"out={out} is a folder: give a file, such as out={out / 'catalog.parquet'}.")
    for folder in out.parents:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"out={out} cannot be written: {folder} is a file, not a folder.")
    if not overwrite:
        check_begun_or_own(out)


def _check_columns(command: PredictConfig, kind: str) -> None:
    """Raise UserError unless keep_columns is true, false or a list of names, and the format can hold more columns."""
    asked: Any = command.keep_columns
    is_list = isinstance(asked, list | str) and all(isinstance(name, str) for name in asked)
    if not is_list and not isinstance(asked, bool):
        raise UserError(f"keep_columns={asked} is not allowed: give true, false or a list of column names.")
    for key in NEEDS_HEADER if kind == "contest" else ():
        if getattr(command, key) not in (None, False, []):
            raise UserError(f"{key} needs a file with a header, which format=contest does not have: leave out one.")


def output_format(asked: str, out: Path) -> str:
    """The format asked for, or by `auto` that of the file's ending.

    Raises:
        UserError: an unknown ending.
    """
    if asked != "auto":
        return asked
    if out.suffix not in FORMATS:
        endings = ".csv, .parquet or .fits"
        raise UserError(f"out={out} has no known ending: end it in {endings}, or give format=contest.")
    return FORMATS[out.suffix]
