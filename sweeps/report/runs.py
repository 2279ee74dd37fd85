"""What a run has left in its folder, read when it is asked for. None of it needs torch or the code of the run."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from omegaconf import OmegaConf

if TYPE_CHECKING:
    from spectral.survey import Survey


@dataclass(frozen=True)
class Run:
    """A run folder; docs/run-folder.md names its files and keys."""

    path: Path

    @cached_property
    def result(self) -> dict[str, Any]:
        """result.json; empty where the run has not finished."""
        return _json(self.path / "result.json")

    @cached_property
    def model(self) -> dict[str, Any]:
        """model.json; empty where there is none yet."""
        return _json(self.path / "model.json")

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.yaml; empty where the run never began."""
        path = self.path / "config.yaml"
        loaded = OmegaConf.to_container(OmegaConf.load(path)) if path.is_file() else {}
        assert isinstance(loaded, dict)
        return {str(key): value for key, value in loaded.items()}

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """metrics.jsonl, a row an epoch; a last line cut short by a kill is left out."""
        path = self.path / "metrics.jsonl"
        return [json.loads(line) for line in path.read_text().split("\n")[:-1]] if path.is_file() else []

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """predictions.parquet: id, split, label, predicted, probability/<class>; empty where there are none."""
        path = self.path / "predictions.parquet"
        return pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=["id", "split", "label", "predicted"])

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

        known = self.result.get("survey", {})
        try:
            survey = Survey.open(known["folder"])
        except (KeyError, UserError):
            return None
        return survey if survey.fingerprint == known["fingerprint"] else None

    def split(self, name: str) -> pd.DataFrame:
        """The predictions of one split, "validation" or "test"."""
        return self.predictions[self.predictions["split"] == name]


def _json(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return loaded
