"""The files in a run folder, each read when it is first needed, without torch and without the code of the run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeps.errors import user_error, user_error_type
from sweeps.files import load_json
from sweeps.results.earlier_results import is_of_rule
from sweeps.results.run_dirs import seed_of
from sweeps.results.run_files import load_metrics, load_result

if TYPE_CHECKING:
    import pandas as pd

    from spectral.survey import Survey

PREDICTIONS = ["id", "split", "label", "predicted"]  # the columns that every predictions.parquet has

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """A run folder; docs/run-folder.md describes its files. Raises UserError for a file that cannot be read."""

    path: Path

    @cached_property
    def result(self) -> dict[str, Any]:
        """result.json; empty if the run has not finished."""
        return self._read("result.json", self._load_result, {})

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.yaml; of an evaluation that of its run; empty if the run never began."""
        nothing: dict[str, Any] = {}
        of_run = self._read("config.yaml", _config, nothing)
        return of_run or dict(self._read("result.json", load_result, nothing).get("config", nothing))

    @property
    def keeps_last(self) -> bool:
        """Whether it keeps the weights of its last epoch, not of the best; False if the config cannot be read."""
        try:
            return keeps_last(self.config)
        except user_error_type():
            return False

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """metrics.jsonl, one row per epoch, without a last line that a kill left incomplete."""
        return self._read("metrics.jsonl", load_metrics, [])

    @cached_property
    def predictions(self) -> "pd.DataFrame":
        """predictions.parquet: id, split, label, predicted, probability/<class>; empty if there are none."""
        import pandas as pd  # here: a search that reads no predictions ends sooner

        return self._read("predictions.parquet", _predictions, pd.DataFrame(columns=PREDICTIONS))

    def _load_result(self, path: Path) -> dict[str, Any]:
        """A result of version 0.1 too: what stood under the names of argmax may be of its decision rule."""
        result = load_result(path)
        try:
            is_renamed = "decision" not in result and is_of_rule(result, self.config)
        except user_error_type():  # whoever needs the config says that it cannot be read
            return result
        if not is_renamed:
            return result
        from spectral.scoring.earlier import with_argmax_scores

        return with_argmax_scores(result, self.path) or {}

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
            raise user_error(f"{path} cannot be read: {_said(error)}.") from error

    @property
    def seed_index(self) -> int:
        """The index of the run's seed in its trial, from the folder's name; 0 if the trial has one run."""
        return seed_of(self.path) or 0

    @property
    def class_names(self) -> list[str]:
        names: list[str] = self.result.get("survey", {}).get("class_names", [])
        return names

    @property
    def members(self) -> list[str]:
        """The run folders of the networks that an ensemble averages; empty for any other run."""
        made = self.result.get("ensemble")
        return [str(member["run"]) for member in made.get("members", [])] if isinstance(made, Mapping) else []

    @property
    def survey_fingerprint(self) -> str:
        """The fingerprint of the run's survey; empty if the run has not finished."""
        fingerprint: str = self.result.get("survey", {}).get("fingerprint", "")
        return fingerprint

    @cached_property
    def survey(self) -> "Survey | None":
        """The run's packed spectra; None if the pack is gone or now holds other spectra."""
        from spectral.errors import UserError
        from spectral.survey import Survey

        packed = self.result.get("survey", {})
        try:
            survey = Survey.open(packed["folder"])
        except (KeyError, UserError):
            return None
        return survey if survey.is_of(packed.get("fingerprint", "")) else None

    def split(self, name: str) -> "pd.DataFrame":
        """The predictions of one split, "validation" or "test"."""
        return self.predictions[self.predictions["split"] == name]


def _said(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _predictions(path: Path) -> "pd.DataFrame":
    import pandas as pd

    predictions = pd.read_parquet(path)
    if predictions.shape == (0, 0):  # of a version that left out the columns if nothing was scored
        return pd.DataFrame(columns=PREDICTIONS)
    if missing := [name for name in PREDICTIONS if name not in predictions]:
        raise ValueError(f"it has no column {missing[0]}")
    for name in predictions:
        if str(name).startswith("probability/") and not pd.api.types.is_numeric_dtype(predictions[name]):
            raise ValueError(f"its column {name} holds no numbers")
    return predictions


def keeps_last(config: Mapping[str, Any]) -> bool:
    """Whether a run with this config keeps the weights of its last epoch: `schedule.keep=last`."""
    schedule = config.get("schedule")
    return isinstance(schedule, Mapping) and schedule.get("keep") == "last"


def _config(path: Path) -> dict[str, Any]:
    loaded = OmegaConf.to_container(OmegaConf.load(path))
    if not isinstance(loaded, dict) or not loaded:
        raise ValueError("it holds no config")
    return {str(key): value for key, value in loaded.items()}


def trouble(run: Run, *parts: str) -> str | None:
    """A sentence that says why one of these parts of a run, such as "result", cannot be read; None if all can be."""
    try:
        for part in parts:
            getattr(run, part)
    except user_error_type() as error:
        return str(error)
    return None


def is_evaluation(folder: Path) -> bool:
    """Whether a folder holds what `spectral.evaluate out=FOLDER` wrote: a run's scores on some spectra.

    Raises UserError if its result.json cannot be read.
    """
    path = folder / "result.json"
    if not path.is_file() or (folder / "config.yaml").exists():
        return False
    try:
        return "evaluated" in load_json(path)
    except (OSError, ValueError) as error:
        raise user_error(f"{path} cannot be read: {_said(error)}.") from error


def flat(node: Any) -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys; lists count as values."""
    from spectral.configs.dotted import flat as with_dotted_keys

    return with_dotted_keys(node)
