"""A finished run scored on labelled spectra: its scores and its predictions, kept in a folder if that is asked for."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from spectral.configs.commands import EvaluateConfig
from spectral.configs.objective import scores_decision
from spectral.data.splits.split import SPLITS
from spectral.errors import UserError
from spectral.files import write_json, write_parquet
from spectral.inference.run_and_data import (
    divided_as_the_run,
    is_own_survey,
    labelled_rows,
    labels_of,
    open_run_and_data,
    warn_of_lost_objects,
)
from spectral.inference.too_short import warn_of_too_short
from spectral.runs.folder import RunFolder
from spectral.scoring.bootstrap import group_numbers
from spectral.scoring.cross_fitting import decide_validation
from spectral.scoring.scores import scored_frame
from spectral.scoring.split_scores import split_scores
from spectral.survey import Survey

log = logging.getLogger(__name__)

ROUNDING = 0.2  # of the logarithm of a probability, in bfloat16 and not float32
LABELS_ALIKE = 0.9  # share of spectra: labels may have been corrected since
LEAST = 1e-30  # taken for a probability of 0
KEYS = {"validation": "val"}  # of a part in result.json, if it has another name there
FIRST = ["id", "split", "label", "predicted"]  # columns of predictions.parquet


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Args:
        key: begins the name of each score, as in result.json: val, test, train or all.
        result: scores, confusion matrices, and what they can be traced back by.
        predictions: as in predictions.parquet.
        is_own: whether the data is that of the run.
        doubt: what is not known of the data's wavelengths, and why the scores are flattered, or may be; empty if
            there is none.
        not_scored: how many spectra have no label, or were left out in packing; empty if there are none.
    """

    key: str
    class_names: list[str]
    result: dict[str, Any]
    predictions: pd.DataFrame
    is_own: bool
    doubt: str = ""
    not_scored: str = ""


def evaluate(command: EvaluateConfig) -> Evaluation:
    """Score a run as a command says.

    Raises:
        UserError: no such run, it has not ended, or the data does not fit it or has no labels.
    """
    predictor, survey, doubt = open_run_and_data(command)
    folder, names = RunFolder(command.run), predictor.classifier.class_names
    is_own, has_split_of_run = is_own_survey(folder, survey), command.data is None
    if is_own and command.on in SPLITS and "split" not in survey.catalog:
        survey, has_split_of_run = divided_as_the_run(folder, survey), True
    labels = labels_of(survey, names)
    on, rows = labelled_rows(command, survey, labels)
    warn_of_lost_objects(command, survey)
    warn_of_too_short(predictor.classifier, predictor.min_pixels, survey, rows)
    labels, config = labels[rows], folder.load_config()
    seed, rule = folder.load_seed(), predictor.classifier.build_decision()
    probability = predictor.probabilities(survey, rows)
    groups = survey.catalog["group"].iloc[rows] if "group" in survey.catalog else None
    objects = None if groups is None else group_numbers(groups)
    if on == "validation" and has_split_of_run:
        # As at the end of training: a fitted rule is not scored on the labels that it was fitted to.
        decided = decide_validation(rule.unfitted, probability, labels, seed, objects=objects)
    else:
        decided = rule(probability)
    ids = survey.catalog["id"].to_numpy()[rows]
    frame = scored_frame(on, ids, probability, decided, labels, names, groups)
    own_shifts, shifts = config.get("evaluate_shifts") or [], predictor.classifier.evaluate_shifts
    if flattered := _doubt_of_spectra(folder, on, is_own, has_split_of_run, frame, is_shifted=shifts != own_shifts):
        log.warning(flattered)
    doubt = " ".join(filter(None, [doubt, flattered]))
    key = KEYS.get(on, on)
    by_rule = decided if scores_decision(config["objective"]) or not rule.is_argmax else None
    metrics, confusions = split_scores(key, probability, by_rule, labels, names, seed, objects)
    about: dict[str, Any] = {"fingerprint": survey.fingerprint, "folder": str(survey.folder), "class_names": names}
    if survey.skipped:
        about["skipped"] = dict(survey.skipped)
    if doubt:
        about["doubt"] = doubt
    config |= {"evaluate_shifts": shifts}
    result: dict[str, Any] = {"evaluated": str(folder.path), "weights": folder.weights_digest()}
    result |= {"decision": config["decision"]["name"], **metrics, "confusion": confusions}
    result |= {"survey": about, "config": config}
    return Evaluation(key, names, result, frame, is_own, doubt, _not_scored(survey, on, len(rows)))


def _not_scored(survey: Survey, on: str, num_scored: int) -> str:
    """How many spectra of a part have no label, and of all how many packing left out; empty if there are none."""
    num_unlabelled = (len(survey) if on == "all" else len(survey.indices(on))) - num_scored
    without = [f"{num_unlabelled:,} without a label"] if num_unlabelled else []
    if on == "all" and survey.skipped:
        reasons = ", ".join(f"{num:,} {reason}" for reason, num in survey.skipped.items())
        without.append(f"{sum(survey.skipped.values()):,} that packing left out ({reasons})")
    return f"not scored: {', '.join(without)}" if without else ""


def _doubt_of_spectra(
    folder: RunFolder, on: str, is_own: bool, has_split_of_run: bool, frame: pd.DataFrame, is_shifted: bool
) -> str:
    """Why the scores are flattered, or may be: the run has seen the spectra; empty if it has not."""
    if on == "validation" and has_split_of_run:
        return _doubt_of_members(folder)
    # The split of the data itself is the run's only with split=given.
    is_of_the_run = has_split_of_run or folder.load_config()["split"]["name"] == "given"
    if is_own and not (on == "test" and is_of_the_run):
        return "These spectra are the run's own: it was trained on some of them, so its scores are flattered."
    return "" if is_own or (has_split_of_run and on != "all") else _doubt_of_shared(folder, frame, is_shifted)


def _doubt_of_shared(folder: RunFolder, frame: pd.DataFrame, is_shifted: bool) -> str:
    """Whether spectra of the run's own are among others, by their ids, labels and the probabilities of the run.

    Ids alone may be the numbers of rows. Of an ensemble of folds the run has the probabilities of the members that were
    not trained on a spectrum, and other shifts change them: then the labels tell. Nothing is said of the run's own test
    spectra alone.

    Args:
        is_shifted: whether evaluate_shifts is not the run's.
    """
    own = folder.load_predictions()
    names = [name for name in frame.columns if name.startswith("probability/")]
    if not {"id", "label", *names} <= {*own}:
        return ""
    shared = frame.merge(own, on="id")
    is_tested = frame["id"].isin(own.loc[own["split"] == "test", "id"])
    if not len(shared) or is_tested.all():
        return ""
    share_alike = (shared["label_x"] == shared["label_y"]).mean()
    if is_shifted or _ensemble(folder).get("out_of_fold"):
        is_same = share_alike == 1
    else:  # of a network that knows nothing the probabilities are alike for all spectra
        is_same = share_alike > LABELS_ALIKE and _have_same_probabilities(shared, names)
    if not is_same:
        return ""
    return (
        f"{len(shared)} of these spectra are in the run's own validation or test split, and others may have trained "
        "it: its scores may be flattered."
    )


def _have_same_probabilities(shared: pd.DataFrame, names: list[str]) -> bool:
    """Whether most spectra have the same probabilities in both of two merged tables, but for rounding."""
    # Of a network that is sure of its classes the probabilities themselves are alike for all spectra of a class.
    here, there = (np.log(shared[[f"{name}_{of}" for name in names]].to_numpy().clip(LEAST)) for of in "xy")
    return bool(np.median(np.abs(here - there).max(axis=1)) <= ROUNDING)


def _doubt_of_members(folder: RunFolder) -> str:
    """Why scores of an ensemble on its own validation are flattered; empty if they are not."""
    made = _ensemble(folder)
    seen = "trained" if made.get("out_of_fold") else "selected" if made.get("select") == "greedy" else ""
    if not seen:
        return ""
    return (
        f"The members of this ensemble were {seen} on these spectra, so these scores are flattered: those in "
        f"{folder.result.name} are not."
    )


def _ensemble(folder: RunFolder) -> dict[str, Any]:
    """What the result says of an ensemble; empty if the run is none."""
    made = (folder.load_result() or {}).get("ensemble")
    return made if isinstance(made, dict) else {}


def check_out(out: str | None, run: str) -> None:
    """Check that an evaluation of a run may be written to a folder; an earlier one of the same run is replaced.

    Raises:
        UserError: it is a file, or there is anything else in it.
    """
    if out is None:
        return
    files, own = RunFolder(out), "give the evaluation a folder of its own"
    if files.config.exists():
        raise UserError(f"out={out} is the folder of a run: {own}.")
    for folder in (files.path, *files.path.parents):
        if folder.exists() and not folder.is_dir():
            raise UserError(f"out={out} cannot be written: {folder} is a file, not a folder.")
    if not files.path.exists() or not [path for path in files.path.iterdir() if not path.name.startswith(".")]:
        return
    found = _evaluated(files)
    if found is None:
        raise UserError(f"out={out} is not empty and holds no evaluation: {own}.")
    evaluated, weights = found
    # A run that is not there as it was given then, from another folder, or since it was moved, may be the same one. The
    # weights tell. One that is there may have been made again in the same folder, with other weights.
    is_there = bool(evaluated) and RunFolder(evaluated).config.exists()
    is_elsewhere = is_there and Path(evaluated).resolve() != Path(run).resolve()
    if is_elsewhere or (not is_there and weights not in (None, RunFolder.existing(run).weights_digest())):
        whose = f"another run, {evaluated}" if is_elsewhere else f"{evaluated} with other weights"
        raise UserError(f"out={out} holds the evaluation of {whose}: {own}.")


def _evaluated(files: RunFolder) -> tuple[str, str | None] | None:
    """The run whose evaluation a folder holds, empty if its writing was stopped, and the digest of its weights.

    The digest is None if an earlier version wrote the evaluation. All is None if the folder holds none.
    """
    try:
        if files.result.exists():
            content = json.loads(files.result.read_text("utf-8"))
            evaluated = content["evaluated"]
            return (evaluated, content.get("weights")) if isinstance(evaluated, str) and evaluated else None
        return ("", None) if parquet.read_schema(files.predictions).names[: len(FIRST)] == FIRST else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_evaluation(found: Evaluation, out: str) -> None:
    """Write predictions.parquet and, last, result.json; an earlier one, of other predictions, goes first."""
    files = RunFolder(Path(out))
    files.result.unlink(missing_ok=True)
    write_parquet(files.predictions, found.predictions)
    write_json(files.result, found.result)
