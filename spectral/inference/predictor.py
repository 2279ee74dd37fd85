"""Apply the classifier of a run folder to a survey. n spectra, K classes."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spectral.configs.commands import EvaluateConfig, PredictConfig
from spectral.configs.data import readers
from spectral.configs.split import splits
from spectral.data.dataset import open_survey, split_survey
from spectral.errors import UserError, nearest
from spectral.inference.classifier import Classifier
from spectral.inference.logits import infer
from spectral.inputs.batches import BatchSource, Rows
from spectral.runs.folder import RunFolder
from spectral.runtime import choose_runtime, tune_allocator
from spectral.scoring.metrics import Labels
from spectral.scoring.scores import Probabilities, softmax
from spectral.survey import Survey

log = logging.getLogger(__name__)


@dataclass
class Predictor:
    """A run's classifier beside the survey it is applied to."""

    folder: RunFolder
    classifier: Classifier
    survey: Survey

    @property
    def seed(self) -> int:
        """The run's seed, by which its intervals are drawn."""
        return int(self.folder.load_config()["seed"])

    def classify(self, rows: Rows, command: EvaluateConfig | PredictConfig) -> tuple[Probabilities, Labels]:
        """Probabilities [n, K] and decided classes [n] of survey rows [n]."""
        decide = self.classifier.build_decision()  # first: a run that has not ended has none
        tune_allocator()
        runtime = choose_runtime(command.device, command.precision, num_threads=command.num_threads)
        log.info("Running on %s.", runtime)
        network = runtime.prepare(self.classifier.load_network(self.folder))
        transform = self.classifier.build_transform()
        store = BatchSource(self.survey.flux, self.survey.mask, transform, runtime.device, self.classifier.length)
        probability = softmax(infer(network, store, rows, runtime, command.evaluate_batch_size))
        return probability, decide(probability)

    def labels(self) -> Labels:
        """The run's class index of every survey row, -1 where it has no label.

        Raises:
            UserError: the survey has a class that the run does not know.
        """
        index = {name: k for k, name in enumerate(self.classifier.class_names)}
        unknown = sorted(set(self.survey.class_names) - set(index))
        if unknown:
            raise UserError(f"the data has the class '{unknown[0]}', the run does not: {nearest(unknown[0], index)}.")
        return np.array([-1, *(index[name] for name in self.survey.class_names)])[self.survey.labels + 1]


def open_predictor(command: EvaluateConfig | PredictConfig) -> Predictor:
    """The run's classifier and the survey it is applied to: the command's data, or else the run's own with its split.

    Raises:
        UserError: no such run, it has not ended, or the data does not fit it.
    """
    folder = RunFolder.existing(command.run)
    classifier = Classifier.load(folder)
    if command.data is None:
        own = folder.load_config()
        survey = open_survey(readers.typed(own["data"]), Path(own["cache_dir"]))
        survey, _ = split_survey(survey, splits.typed(own["split"]))
        result = folder.load_result()
        if result and result["survey"]["fingerprint"] != survey.fingerprint:
            log.warning("The survey has changed since the run in %s: its scores cannot be compared.", folder.path)
    else:
        survey = open_survey(command.data, Path(command.cache_dir))
    _check_fits(classifier, survey, folder)
    return Predictor(folder, classifier, survey)


def labelled_rows(command: EvaluateConfig, survey: Survey, labels: Labels) -> tuple[str, Rows]:
    """Which part is scored, and its labelled rows [n].

    `auto` is the test split, or validation where there is no test; all spectra where the survey is not the run's own.

    Raises:
        UserError: no labelled spectrum is there.
    """
    on = command.on
    if on == "auto":
        on = "all" if command.data is not None else "test" if len(survey.indices("test")) else "validation"
    if on != "all" and "split" not in survey.catalog:
        raise UserError(f"on={on} needs data with a split of its own; on=all scores every labelled spectrum.")
    rows = np.arange(len(survey)) if on == "all" else survey.indices(on)
    rows = rows[labels[rows] >= 0]
    if not len(rows):
        raise UserError(f"on={on} has no labelled spectrum to score.")
    return on, rows


def _check_fits(classifier: Classifier, survey: Survey, folder: RunFolder) -> None:
    run = f"run={folder.path}"
    if survey.num_channels != classifier.num_channels:
        raise UserError(f"the data has {survey.num_channels} channels, {run} needs {classifier.num_channels}.")
    if survey.length > classifier.length:
        raise UserError(f"the data has {survey.length} points a spectrum, {run} was trained on {classifier.length}.")
    mine, theirs = classifier.wave_angstrom, survey.wave_angstrom
    if mine is not None and theirs is not None and not _same_grid(mine, theirs):
        raise UserError(
            f"the data's wavelengths, {theirs[0]:.1f} to {theirs[-1]:.1f} Angstrom, are not those of {run}, "
            f"{mine[0]:.1f} to {mine[-1]:.1f}: resample the data to the run's grid."
        )


def _same_grid(mine: Any, theirs: Any) -> bool:
    """Whether a grid is the beginning of another to a tenth of a pixel."""
    mine = mine[: len(theirs)]
    step = np.abs(np.diff(mine)).min() if len(mine) > 1 else 1.0
    return bool(np.allclose(mine, theirs, rtol=0, atol=step / 10))
