"""Finished runs that may become members of an ensemble, and what of them must be the same. n spectra, K classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.runs.folder import RunFolder
from spectral.runs.runs_below import runs_below
from spectral.scoring.bootstrap import group_numbers
from spectral.scoring.split_scores import Probabilities

SURVEY = "survey.fingerprint"
KINDS = {"validation": "val", "test": "test"}  # of a split, its name in result.json


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended, with what it said of validation and test."""

    folder: RunFolder
    classifier: Classifier
    config: dict[str, Any]
    result: dict[str, Any]
    predictions: pd.DataFrame

    @classmethod
    def open(cls, path: Path | str) -> "FinishedRun":
        """The run in a folder.

        Raises:
            UserError: it is missing, has not ended, has no network, or cannot be read. The sentence names it.
        """
        folder = RunFolder(path)
        if not folder.config.is_file():
            others = runs_below(folder.path, key="")
            raise UserError(f"{path} is not a run folder: it has no {folder.config.name}.{others}")
        result = folder.load_result()
        if result is None:
            raise UserError(f"{path} cannot be a member: it has no {folder.result.name}, so resume it first.")
        for file in (folder.model, folder.weights):
            if not file.is_file():
                raise UserError(f"{path} cannot be a member: it has no network, since {file.name} is missing.")
        classifier = Classifier.load(folder)
        if classifier.members:
            raise UserError(f"{path} is an ensemble itself: name its members instead.")
        if classifier.output_prior is None:
            raise UserError(f"{path} cannot be a member: its {folder.model.name} has no output_prior.")
        return cls(folder, classifier, folder.load_config(), result, folder.load_predictions())

    @property
    def name(self) -> str:
        return str(self.folder.path)

    @property
    def output_prior(self) -> list[float]:
        """The class priors [K] at which the probabilities stand."""
        assert self.classifier.output_prior is not None  # else it would not have been opened
        return self.classifier.output_prior

    @cached_property
    def weights_digest(self) -> str:
        """`RunFolder.weights_digest`, read once."""
        return self.folder.weights_digest()

    def predictions_of(self, split: str) -> "SplitPredictions | None":
        """What it predicted for a split; None if it scored none of it.

        Raises:
            UserError: predictions.parquet is not that of the run.
        """
        frame, names = self.predictions, self.classifier.class_names
        num = self.result.get(f"{KINDS[split]}/num_spectra", 0)
        if not num:
            return None  # there may be rows all the same, if test scores were added and the result was not written
        frame = frame[frame["split"] == split] if len(frame) else frame
        columns = [f"probability/{name}" for name in names]
        if len(frame) != num or not set(columns) <= set(frame):
            raise UserError(
                f"{self.folder.predictions} cannot be read: it lacks the {num:,} {split} spectra of the run."
            )
        label = pd.Categorical(frame["label"], names).codes.astype(np.int64)
        probability = frame[columns].to_numpy(np.float64)
        if (label < 0).any() or not np.isfinite(probability).all() or (probability.sum(axis=1) <= 0).any():
            raise UserError(f"{self.folder.predictions} cannot be read: it was changed.")
        groups = frame["group"].reset_index(drop=True) if "group" in frame else None
        return SplitPredictions(frame["id"].to_numpy(), label, probability, groups)


@dataclass(frozen=True)
class SplitPredictions:
    """Predictions of some spectra: ids [n], class indices [n], probabilities [n, K], and objects [n] or None."""

    ids: NDArray[Any]
    labels: NDArray[np.int64]
    probability: Probabilities
    groups: "pd.Series[Any] | None"

    @property
    def objects(self) -> NDArray[np.int64] | None:
        """A number for each object [n]; None if the survey names no groups."""
        return None if self.groups is None else group_numbers(self.groups)

    def take(self, rows: NDArray[np.int64]) -> "SplitPredictions":
        """Some of the spectra, in the order of `rows`."""
        groups = None if self.groups is None else self.groups.iloc[rows].reset_index(drop=True)
        return SplitPredictions(self.ids[rows], self.labels[rows], self.probability[rows], groups)


def check_compatible(runs: Sequence[FinishedRun]) -> None:
    """Check that the runs were trained to classify the same spectra.

    Raises:
        UserError: the sentence names the first run that differs from the first of all, and the key.
    """
    first = runs[0]
    keys = _keys(first)
    for run in runs[1:]:
        for key, value in _keys(run).items():
            if value != keys[key]:
                there, here = (_shown(key, values) for values in (keys[key], value))
                reason = f"{key} is {here} of the first and {there} of the second"
                if key == SURVEY:
                    reason = f"they were trained on different surveys, {here} and {there} by survey.fingerprint"
                raise UserError(f"{run.name} and {first.name} make no ensemble: {reason}.")


def _keys(run: FinishedRun) -> dict[str, Any]:
    classifier = run.classifier
    wave = classifier.wave_angstrom
    return {
        "class_names": classifier.class_names,
        "length": classifier.length,
        "wave_angstrom": None if wave is None else wave.tolist(),
        "inputs.num_channels": classifier.inputs.num_channels,
        "inputs.masked_pixels": classifier.inputs.masked_pixels,
        "inputs.baseline": classifier.inputs.baseline,
        "evaluate_shifts": classifier.evaluate_shifts,
        SURVEY: run.result["survey"]["fingerprint"],
    }


def _shown(key: str, value: Any) -> str:
    if key == "wave_angstrom" and value is not None:
        return f"{value[0]:.2f} to {value[-1]:.2f} Angstrom"
    return "none" if value in (None, {}) else str(value)
