"""What a config names must be there: its files and its device. Checked before anything heavy is imported."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from spectral.configs.root import typed
from spectral.data.readers.paths import existing_file, existing_folder, refuse_fits_folder
from spectral.errors import UserError

CHOOSE = " (the GPU of the job's slot, which hydra.launcher.devices=[1] chooses)"


def check_available(config: DictConfig, devices: Sequence[str] | None = None) -> None:
    """Check that the data of an experiment are there, and its device if the devices are known.

    Args:
        devices: what a run sees, in torch's names, the default first; None if only torch knows.

    Raises:
        UserError: a key that is not allowed, a file or folder that is not there, or another device.
    """
    experiment = typed(config)
    check_data(experiment.data)
    if devices is not None and experiment.device not in ("auto", *devices):
        raise UserError(
            f"device={experiment.device} is not there for the jobs of this sweep: allowed are auto, "
            f"{', '.join(devices)}{CHOOSE if 'cuda' in devices else ''}."
        )


def check_data(data: Any) -> None:
    """Raise UserError for a file or folder of a typed data config that is not there."""
    for field in dataclasses.fields(data):
        value, kind = getattr(data, field.name), field.metadata.get("path")
        if kind and value is not None:
            _check_path(value, f"data.{field.name}", kind)


def _check_path(path: str, key: str, kind: str) -> None:
    if kind == "folder":
        existing_folder(path, key)
        return
    if kind == "spectra":
        refuse_fits_folder(path, key)
    existing_file(path, key)
