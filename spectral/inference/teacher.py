"""`distill=FOLDER`: a run also learns the probabilities of a finished run or ensemble. See docs/ensembles.md."""

import hashlib
import logging
from typing import Any

import torch

from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.predictor import Predictor
from spectral.inference.run_and_data import check_fits
from spectral.inference.wavelengths import check_same_pixels
from spectral.runs.folder import RunFolder
from spectral.runtime import Runtime
from spectral.training.distillation import Teacher

log = logging.getLogger(__name__)


def open_teacher(
    config: ExperimentConfig, dataset: Dataset, folder: RunFolder
) -> tuple[Classifier | None, dict[str, Any]]:
    """The classifier of the teacher, checked before anything is trained, and a record of it; None without `distill`.

    Args:
        folder: of the run that begins or resumes.

    Returns:
        The record is for `RunFolder.note_initial` and result.json; it is empty without `distill`.

    Raises:
        UserError: `distill` is not a finished run, classifies other spectra, or has changed since the run began.
    """
    if config.distill is None:
        return None, {}
    run, teacher = f"distill={config.distill}", RunFolder(config.distill)
    if not teacher.config.is_file():
        raise UserError(f"{run} is not a run folder: it has no {teacher.config.name}.")
    teacher.check_has_model("distill")
    result = teacher.load_result()
    if result is None:
        raise UserError(f"{run} is a run that has not ended: it has no {teacher.result.name}, so resume it first.")
    classifier = Classifier.load(teacher)
    if classifier.class_names != list(dataset.class_names):
        raise UserError(
            f"{run} has the classes {', '.join(classifier.class_names)}, here they are "
            f"{', '.join(dataset.class_names)}: a teacher needs the same, in the same order."
        )
    if classifier.output_prior is None or min(classifier.output_prior) <= 0:
        raise UserError(
            f"{run} cannot teach: it was trained without some class, or does not say at which class priors."
        )
    check_fits(classifier, dataset.survey, run)
    if doubt := check_same_pixels(classifier, dataset.survey, run):
        log.warning(doubt)
    if result["survey"]["fingerprint"] == dataset.survey.fingerprint and not _has_same_split(teacher, dataset):
        log.warning("%s has another split: it may have been trained on spectra that this run is scored on.", run)
    record = {"folder": config.distill, "weights": _digest(teacher)}
    begun = folder.load_initial().get("distill", record)
    if begun != record:
        raise UserError(f"{run} has changed since the run in {folder.path} began: give another run_dir.")
    return classifier, {"distill": record}


def teach(
    config: ExperimentConfig, classifier: Classifier | None, dataset: Dataset, runtime: Runtime
) -> Teacher | None:
    """What the teacher says of the training split, computed now; None without one.

    Raises:
        UserError: its weights cannot be read.
    """
    if classifier is None or config.distill is None:
        return None
    log.info("The probabilities of %s are computed for %d training spectra.", config.distill, len(dataset.train))
    predictor = Predictor.load(RunFolder(config.distill), classifier, runtime, config.evaluate_batch_size)
    logits = predictor.logits(predictor.source(dataset.survey), dataset.train)
    return Teacher(
        log_probabilities=logits.log_softmax(dim=1).float().to(runtime.device),
        output_prior=torch.tensor(classifier.output_prior, device=runtime.device),
        weight=config.distill_weight,
        temperature=config.distill_temperature,
    )


def _has_same_split(teacher: RunFolder, dataset: Dataset) -> bool:
    """Whether the teacher validated on the spectra of this run's validation, as far as its predictions tell."""
    frame = teacher.load_predictions()
    if not len(frame):
        return True
    theirs = set(frame.loc[frame["split"] == "validation", "id"])
    return theirs == set(dataset.ids[dataset.validation])


def _digest(teacher: RunFolder) -> str:
    """The BLAKE2b digest of the weights file; `b2sum -l 128` gives the same."""
    try:
        return hashlib.blake2b(teacher.weights.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise UserError(f"{teacher.weights} cannot be read: {error.strerror}.") from error
