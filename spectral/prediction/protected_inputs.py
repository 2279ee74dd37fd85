"""Which files no catalog of predictions replaces, whatever the command says: those that it is made of."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from spectral.configs.commands import PredictConfig
from spectral.configs.data import PackedConfig
from spectral.configs.readers import TianchiConfig
from spectral.errors import UserError
from spectral.prediction.finished import record_path
from spectral.runs.folder import RunFolder

OF_OTHERS = ("tracker.json", "trial.json")  # what a tracker and a sweep write into a run folder


def check_keeps_inputs(command: PredictConfig) -> None:
    """Raise UserError if the file of a command, or its record, would take the place of the run or of the data.

    Files below the data.folder of a survey are left to its reader, which knows which of them are spectra.
    """
    out = Path(command.out)
    for path in (out, record_path(out)):
        if whose := next(_owners(path, command), ""):
            needs = "" if path == out else f" needs the place of {path}, which"
            raise UserError(f"out={out}{needs} is part of {whose}: give another out.")


def _owners(path: Path, command: PredictConfig) -> Iterator[str]:
    """What a file is part of, as the command names it."""
    run, data = RunFolder(command.run), command.data
    of_run = [own for name, own in vars(run).items() if name != "path"] + [run.path / name for name in OF_OTHERS]
    if _is_same(path, run.path) or any(_is_within(path, own) for own in of_run):
        yield f"run={command.run}"
    for field in dataclasses.fields(data):
        value = getattr(data, field.name)
        if value and field.metadata.get("path") in ("file", "spectra") and _is_same(path, Path(value)):
            yield f"data.{field.name}={value}"
    of_pack = isinstance(data, PackedConfig) and data.folder and _is_within(path, Path(data.folder))
    if of_pack or (isinstance(data, TianchiConfig) and data.folder and _is_spectrum(path, data)):
        yield f"data.folder={data.folder}"


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # one of them is not there
        return False


def _is_within(path: Path, other: Path) -> bool:
    """Whether it is the same file or folder, which need not be there, or lies in it."""
    return any(place.is_relative_to(other.resolve()) for place in _places(path))


def _is_spectrum(path: Path, data: TianchiConfig) -> bool:
    folder = Path(data.folder).resolve()
    return any(place.name.endswith(data.suffix) and place.parent == folder for place in _places(path))


def _places(path: Path) -> tuple[Path, Path]:
    """Where a path leads, and if it is a link, where that is."""
    return path.resolve(), path.parent.resolve() / path.name
