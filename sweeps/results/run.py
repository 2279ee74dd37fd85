"""What a run has left in its folder, read when it is asked for. None of it needs torch or the code of the run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeps.errors import user_error, user_error_type
from sweeps.results.run_dirs import SEED
from sweeps.results.run_files import load_metrics, load_result

if TYPE_CHECKING:
    from spectral.survey import Survey

PREDICTIONS = ["id", "split", "label", "predicted"]  # the columns that every predictions.parquet has

# What a parser raises for a file that was cut off, or is none of ours.
UNREADABLE = (OSError, ValueError, TypeError, KeyError, RecursionError, yaml.YAMLError, OmegaConfBaseException)

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """A run folder; docs/run-folder.md names its files and keys. A file that cannot be read raises UserError."""

    path: Path

    @cached_property
    def result(self) -> dict[str, Any]:
        """result.json; empty where the run has not finished."""
        return self._read("result.json", load_result, {})

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.yaml; empty where the run never began."""
        return self._read("config.yaml", _config, {})

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """metrics.jsonl, a row an epoch; a last line cut short by a kill is left out."""
        return self._read("metrics.jsonl", load_metrics, [])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """predictions.parquet: id, split, label, predicted, probability/<class>; empty where there are none."""
        return self._read("predictions.parquet", _predictions, pd.DataFrame(columns=PREDICTIONS))

    def _read(self, name: str, read: Callable[[Path], T], otherwise: T) -> T:
        path = self.path / name
        if not path.is_file():
            return otherwise
        try:
            return read(path)
        except (
            OSError,
            ValueError,
            TypeError,
            KeyError,
            RecursionError,
            yaml.YAMLError,
            OmegaConfBaseException,
        ) as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise user_error(f"{path} cannot be read: {said}.") from error

    @property
    def seed_index(self) -> int:
        """Of a trial's run, by its folder; 0 for its only one."""
        return int(self.path.name.removeprefix(SEED)) if self.path.name.startswith(SEED) else 0

    @property
    def class_names(self) -> list[str]:
        names: list[str] = self.result.get("survey", {}).get("class_names", [])
        return names

    @property
    def survey_fingerprint(self) -> str:
        """Of the survey that the run was made on; empty where the run has not finished."""
        fingerprint: str = self.result.get("survey", {}).get("fingerprint", "")
        return fingerprint

    @cached_property
    def survey(self) -> "Survey | None":
        """The run's packed spectra; None where the pack is gone, or holds others by now."""
        from spectral.errors import UserError
        from spectral.survey import Survey

        packed = self.result.get("survey", {})
        try:
            survey = Survey.open(packed["folder"])
        except (KeyError, UserError):
            return None
        return survey if survey.fingerprint == packed.get("fingerprint") else None

    def split(self, name: str) -> pd.DataFrame:
        """The predictions of one split, "validation" or "test"."""
        return self.predictions[self.predictions["split"] == name]


def _predictions(path: Path) -> pd.DataFrame:
    predictions = pd.read_parquet(path)
    if missing := [name for name in PREDICTIONS if name not in predictions]:
        raise ValueError(f"it has no column {missing[0]}")
    for name in predictions:
        if str(name).startswith("probability/") and not pd.api.types.is_numeric_dtype(predictions[name]):
            raise ValueError(f"its column {name} holds no numbers")
    return predictions


def _config(path: Path) -> dict[str, Any]:
    loaded = OmegaConf.to_container(OmegaConf.load(path))
    if not isinstance(loaded, dict):
        raise ValueError("it holds no mapping")
    return {str(key): value for key, value in loaded.items()}


def trouble(run: Run, *parts: str) -> str | None:
    """Why one of these parts of a run, such as "result", cannot be read, in a sentence; None where all can be."""
    try:
        for part in parts:
            getattr(run, part)
    except user_error_type() as error:
        return str(error)
    return None


def flat(node: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted key -> value; lists are values."""
    if not isinstance(node, Mapping):
        return {prefix: node}
    found: dict[str, Any] = {}
    for key, value in node.items():
        found |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return found
