"""A run folder and the survey that a command applies it to. n spectra."""

import logging
from pathlib import Path

import numpy as np

from spectral.configs.baseline import baseline_in_words
from spectral.configs.class_lists import class_of
from spectral.configs.commands import EvaluateConfig
from spectral.configs.data import PackedConfig, readers
from spectral.configs.pasted_overrides import pasted_list
from spectral.configs.split import splits
from spectral.data.dataset import Dataset, no_labels
from spectral.data.packing.open import open_survey
from spectral.data.splits.split import assign_split
from spectral.errors import UserError, nearest
from spectral.inference.classifier import Classifier
from spectral.inference.own_split import check_own_split
from spectral.inference.predictor import Predictor
from spectral.inference.wavelengths import HasPixels, check_same_pixels
from spectral.inputs.batches import Rows
from spectral.runs.folder import RunFolder
from spectral.runtime import tune_allocator
from spectral.scoring.metrics import Labels
from spectral.survey import Survey

log = logging.getLogger(__name__)

LEAVE_OUT = "leave them out of the file"  # what to do with spectra that are longer than those of a run


def open_run_and_data(command: EvaluateConfig) -> tuple[Predictor, Survey, str]:
    """The run's predictor, the command's data or else the run's own survey with its split, and a doubt.

    Spectra with wavelengths of their own are brought to the run's, and their baseline is removed as the run's was,
    unless data.grid or data.baseline is given. Pixels without inverse variance are masked if the run's were.

    The doubt says what is not known of the data's wavelengths, or which pixels are missing; it is empty if there is
    none. It is logged here, and belongs to the end of what the command prints too.

    Raises:
        UserError: no such run, it has not ended, the data does not fit it, or its own has another split by now.
    """
    folder = RunFolder.existing(command.run)
    classifier = Classifier.load(folder).shifted(command.evaluate_shifts)
    run = f"run={folder.path}"
    survey = (
        _own_survey(folder, command)
        if command.data is None
        else open_survey(command.data, Path(command.cache_dir), classifier.spectra(run))
    )
    can_skip = hasattr(command.data, "on_bad") and survey.wave_angstrom is None
    check_fits(classifier, survey, run, "data.on_bad=skip leaves them out" if can_skip else LEAVE_OUT)
    doubt = check_same_pixels(classifier, survey, run)
    if doubt:
        log.warning(doubt)
    classifier.build_decision()  # a run that has not ended has none
    tune_allocator()
    runtime = classifier.choose_runtime(command.device, command.precision, command.num_threads, command.kernel)
    log.info("Running on %s.", runtime)
    return Predictor.load(folder, classifier, runtime, command.evaluate_batch_size), survey, doubt


def _own_survey(folder: RunFolder, command: EvaluateConfig) -> Survey:
    """The survey of the run, packed in the command's cache: a folder from elsewhere does not choose where to write."""
    own, result = folder.load_config(), folder.load_result()
    data, split = readers.typed(own["data"]), splits.typed(own["split"])
    try:
        survey = open_survey(data, Path(command.cache_dir))
    except UserError as error:
        unless = "" if split.name == "given" else " unless the data has another split of its own"
        raise UserError(
            f"the data that {folder.config} names cannot be used (if it was moved, spectral.evaluate takes "
            f"data={data.name} and its options, and on=test for its test split{unless}): {error}"
        ) from error
    dataset = Dataset.divided(survey, data, split)
    if result and not dataset.survey.is_of(result["survey"]["fingerprint"]):
        log.warning("The survey has changed since the run in %s: its scores cannot be compared.", folder.path)
    if command.on != "all":
        check_own_split(folder, dataset)
    return dataset.survey


def is_own_survey(folder: RunFolder, survey: Survey) -> bool:
    """Whether a survey is the one that the run was made on."""
    result = folder.load_result()
    return result is not None and survey.is_of(result["survey"]["fingerprint"])


def divided_as_the_run(folder: RunFolder, survey: Survey) -> Survey:
    """The survey that the run was made on, wherever its data is now, under the split of the run.

    Raises:
        UserError: it is divided otherwise than when the run was trained.
    """
    split = splits.typed(folder.load_config()["split"])
    dataset = Dataset.of(survey.with_split(assign_split(survey.catalog, split, survey.folder)))
    check_own_split(folder, dataset)
    return dataset.survey


def labels_of(survey: Survey, class_names: list[str]) -> Labels:
    """The run's class index of every survey row [N], -1 if it has no label. Capitals of the names do not matter.

    Args:
        class_names: of the run.

    Raises:
        UserError: a spectrum has a class that the run does not know. A class without spectra may be unknown.
    """
    same = [class_of(name, class_names) for name in survey.class_names]
    there = np.unique(survey.labels[survey.labels >= 0])
    unknown = sorted(survey.class_names[k] for k in there if same[k] is None)
    if unknown:
        raise UserError(
            f"the data has the class '{unknown[0]}', the run does not: {nearest(unknown[0], class_names)}; "
            f"{pasted_list('data.class_names', class_names)} data.on_bad=skip leaves such spectra out."
        )
    return np.array([-1, *(-1 if name is None else class_names.index(name) for name in same)])[survey.labels + 1]


def labelled_rows(command: EvaluateConfig, survey: Survey, labels: Labels) -> tuple[str, Rows]:
    """Which part is scored, and its labelled rows [n].

    `auto` is the test split, or validation if there is no test; all spectra if the survey is not the run's own.

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
        of_run = _key_of_run(command, survey)
        raise UserError(no_labels(survey, command.data, f"on={on} has no labelled spectrum to score{of_run}"))
    return on, rows


def _key_of_run(command: EvaluateConfig, survey: Survey) -> str:
    """The run's own data.label_key, if other data has that column and no labels."""
    key = RunFolder(command.run).load_config()["data"].get("label_key")
    there = key in survey.catalog and not survey.catalog["label"].notna().any()
    return f" (the run had data.label_key={key}, which the data has too)" if there else ""


def warn_of_lost_objects(command: EvaluateConfig, survey: Survey) -> None:
    """Warn of other data with the column that named the run's objects, if nothing names them here."""
    key = RunFolder(command.run).load_config()["data"].get("group_key")
    if "group" in survey.catalog or key not in survey.catalog:
        return
    is_packed = isinstance(command.data, PackedConfig)
    log.warning(
        "The run had data.group_key=%s, which the data has too, but %s: the intervals take the spectra of one object "
        "for independent.%s",
        key,
        "its pack was made without" if is_packed else "this command does not have",
        f" Pack it again with data.group_key={key}." if is_packed else "",
    )


def check_fits(classifier: Classifier, data: HasPixels, run: str, leave_out: str = LEAVE_OUT) -> None:
    """Raise UserError if the data has other channels than the run, more pixels, or was made otherwise.

    Of pixels with wavelengths on both sides `check_same_pixels` says more.

    Args:
        leave_out: what to do with some spectra that are longer than the run's.
    """
    if data.num_channels != classifier.inputs.num_channels:
        raise UserError(f"the data has {data.num_channels} channels, {run} needs {classifier.inputs.num_channels}.")
    if data.length > classifier.length and (data.wave_angstrom is None or classifier.wave_angstrom is None):
        raise UserError(
            f"the data has {data.length} pixels per spectrum, {run} was trained on {classifier.length}"
            f"{_longer_than(classifier.length, data, leave_out)}."
        )
    if data.baseline != classifier.inputs.baseline:
        theirs, own = baseline_in_words(data.baseline), baseline_in_words(classifier.inputs.baseline)
        raise UserError(f"the data was made with {theirs}, {run} was trained with {own}: give the data the same.")
    masks, wanted = data.ivar_masks, classifier.inputs.ivar_masks
    if masks is not None and wanted is not None and masks != wanted:
        theirs, own = (f"data.ivar_masks={str(value).lower()}" for value in (masks, wanted))
        raise UserError(f"the data was made with {theirs}, {run} was trained with {own}: give the data the same.")


def _longer_than(length: int, data: HasPixels, leave_out: str) -> str:
    """Which spectra of a survey of unequal lengths have too many pixels; nothing if all have, or its grid alone has."""
    if not isinstance(data, Survey):
        return ""
    ids = data.catalog["id"][data.catalog["length"] > length]
    if not 0 < len(ids) < len(data):
        return ""
    return f"; {len(ids)} of {len(data)} are longer than that, the first is '{ids.iloc[0]}': {leave_out}"
