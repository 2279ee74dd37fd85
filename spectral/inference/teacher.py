"""`distill=FOLDER`: a run also learns the probabilities of a finished run or ensemble. See docs/ensembles.md."""

import hashlib
import json
import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from spectral.configs.root import ExperimentConfig
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.other_split import doubt_of_split
from spectral.inference.predictor import Predictor
from spectral.inference.run_and_data import check_fits
from spectral.inference.wavelengths import check_same_pixels
from spectral.runs.doubts import DOUBT
from spectral.runs.folder import RunFolder
from spectral.runs.mixtures import are_moved, trained_on_mixtures
from spectral.runs.runs_below import runs_below
from spectral.runtime import Runtime
from spectral.training.distillation import Teacher, TeacherOfBatches, TeacherOfSpectra, prior_of

log = logging.getLogger(__name__)


def open_teacher(
    config: ExperimentConfig, student: Classifier, dataset: Dataset, folder: RunFolder
) -> tuple[Classifier | None, dict[str, Any]]:
    """The classifier of the teacher, checked before anything is trained, and a record of it; None without `distill`.

    Args:
        folder: of the run that begins or resumes.

    Returns:
        The record is for `RunFolder.note_initial` and result.json; it is empty without `distill`.

    Raises:
        UserError: `distill` is not a finished run, classifies other spectra, has changed since the run began, or would
            have to see mixtures that its own inputs cannot make.
    """
    if config.distill is None:
        return None, {}
    run, teacher = f"distill={config.distill}", RunFolder(config.distill)
    if not teacher.config.is_file():
        others = runs_below(teacher.path, "distill")
        raise UserError(f"{run} is not a run folder: it has no {teacher.config.name}.{others}")
    teacher.check_has_model("distill")
    if teacher.load_result() is None:
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
    if classifier.build_inputs().needs_ivar and dataset.survey.ivar is None:
        raise UserError(f"{run} needs inverse variances and the data has none.")
    _check_mixtures(config, classifier, student)
    if of_pixels := check_same_pixels(classifier, dataset.survey, run):
        log.warning(of_pixels)
    doubt = " ".join(filter(None, [of_pixels, doubt_of_split(run, teacher, dataset)]))
    record = {"folder": config.distill, "weights": teacher.weights_digest(), "model": _digest_of_model(teacher)}
    begun = folder.load_initial().get("distill", record)
    if isinstance(begun, dict) and begun.get("model") == _digest_of_model(teacher, with_folders=True):
        begun = begun | {"model": record["model"]}
    if not isinstance(begun, dict) or _differs(begun, record):
        raise UserError(f"{run} has changed since the run in {folder.path} began: give another run_dir.")
    return classifier, {"distill": record | ({DOUBT: doubt} if doubt else {})}


def warn_of_mixtures(config: ExperimentConfig, classifier: Classifier | None, losses: Sequence[nn.Module]) -> None:
    """Log that a teacher was trained on mixtures and is moved to other class shares, if a loss asks for that.

    Args:
        classifier: of the teacher; None without one.
    """
    if classifier is None or config.distill is None or classifier.output_prior is None:
        return
    is_mixed = trained_on_mixtures(RunFolder(config.distill))
    if is_mixed and any(are_moved(classifier.output_prior, prior_of(loss).tolist()) for loss in losses):
        log.warning(
            "distill=%s was trained on mixtures (schedule.mixup_alpha), after which probabilities are too small to be "
            "moved to other class shares, as they are here: give this run the sampler and the loss of the teacher.",
            config.distill,
        )


def teach(
    config: ExperimentConfig, classifier: Classifier | None, student: Classifier, dataset: Dataset, runtime: Runtime
) -> Teacher | None:
    """The teacher, with its probabilities of the training split or ready to be shown batches; None without one.

    Raises:
        UserError: its weights cannot be read.
    """
    if classifier is None or config.distill is None:
        return None
    predictor = Predictor.load(RunFolder(config.distill), classifier, runtime, config.evaluate_batch_size)
    prior = torch.tensor(classifier.output_prior, device=runtime.device)
    taught = prior, config.distill_weight, config.distill_temperature
    if config.distill_on == "batches":
        log.info("The probabilities of %s are computed for each batch.", config.distill)
        inputs = predictor.inputs if _other_inputs(classifier, student) else None
        return TeacherOfBatches(*taught, predictor.network, inputs, classifier.length, runtime)
    log.info("The probabilities of %s are computed for %d training spectra.", config.distill, len(dataset.train))
    logits = predictor.logits(predictor.source(dataset.survey), dataset.train)
    return TeacherOfSpectra(*taught, logits.log_softmax(dim=1).float().to(runtime.device))


def _differs(begun: dict[str, Any], record: dict[str, Any]) -> bool:
    """Whether a run began with another teacher; an earlier version kept no digest of the model."""
    return record | {key: value for key, value in begun.items() if key != DOUBT} != record


def _check_mixtures(config: ExperimentConfig, classifier: Classifier, student: Classifier) -> None:
    """Raise UserError if the teacher would see mixtures, and takes other channels than those that are mixed."""
    others, alpha = _other_inputs(classifier, student), config.schedule.mixup_alpha
    if config.distill_on == "batches" and alpha and others:
        raise UserError(
            f"distill_on=batches next to schedule.mixup_alpha={alpha:g} needs a teacher with the inputs of this run, "
            f"and distill={config.distill} has {' and '.join(others)}: set schedule.mixup_alpha=null, or "
            "distill_on=spectra."
        )


def _other_inputs(classifier: Classifier, student: Classifier) -> list[str]:
    """What the inputs of a teacher and a student differ in; empty if both take the same channels."""
    theirs, own = classifier.inputs, student.inputs
    differs = {
        "another transform": (theirs.transform, theirs.learned) != (own.transform, own.learned),
        "other inputs.channels": theirs.channels != own.channels,
        "another inputs.masked_pixels": theirs.masked_pixels != own.masked_pixels,
        "another number of pixels": classifier.length != student.length,
        "members with inputs of their own": bool(classifier.further_inputs),
    }
    return [what for what, is_other in differs.items() if is_other]


def _digest_of_model(teacher: RunFolder, *, with_folders: bool = False) -> str:
    """A digest of model.json without the decision rule and the members' folders, which change nothing that it says.

    Args:
        with_folders: with those folders, as earlier versions kept it.
    """
    content = json.loads(teacher.model.read_text("utf-8"))
    said = {key: value for key, value in content.items() if key != "decision_state"}
    if "members" in said and not with_folders:
        said["members"] = [{key: of for key, of in member.items() if key != "run"} for member in said["members"]]
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()
