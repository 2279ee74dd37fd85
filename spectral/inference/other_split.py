"""Whether a run is scored on spectra that another run, from which it takes something, was trained on."""

import logging
from pathlib import Path
from typing import Any

from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.runs.doubts import doubts_of
from spectral.runs.folder import RunFolder
from spectral.survey import read_about

log = logging.getLogger(__name__)


def doubt_of_split(key: str, other: RunFolder, dataset: Dataset) -> str:
    """Log and return what is said against the other run on the same data, and that it had another split of it.

    The same data is the same pack, or one of the same files, as with another `data.limit`.

    Args:
        key: that names the other run, with its value.

    Returns:
        Sentences; empty if nothing is said.
    """
    result = other.load_result() or {}
    survey = result.get("survey", {})
    is_scored = len(dataset.validation) or len(dataset.test)
    is_same = dataset.survey.is_of(survey.get("fingerprint", ""))
    if not is_scored or not (is_same or _is_of_same_files(dataset.survey.folder, survey.get("folder"))):
        return ""
    sentences = [f"{key} is in doubt itself: {doubt}" for doubt in doubts_of(result)]
    if not (_has_same_split(other, dataset) if is_same else _held_out(other, dataset)):
        sentences.append(f"{key} has another split: it may have been trained on spectra that this run is scored on.")
    for sentence in sentences:
        log.warning(sentence)
    return " ".join(sentences)


def _has_same_split(other: RunFolder, dataset: Dataset) -> bool:
    """Whether the other run validated on the spectra of this run's validation, and tested on all of this run's test.

    As far as its predictions tell: one that has not scored its test split does not say which spectra are in it.
    """
    validated, tested = _ids(other, "validation"), _ids(other, "test")
    if validated is None or tested is None:
        return True
    is_same_test = not tested or tested.issuperset(dataset.ids[dataset.test])
    return validated == set(dataset.ids[dataset.validation]) and is_same_test


def _held_out(other: RunFolder, dataset: Dataset) -> bool:
    """Whether the other run scored, and so was not trained on, what this run is scored on, as far as it tells."""
    validated, tested = _ids(other, "validation"), _ids(other, "test")
    if validated is None or tested is None:
        return True
    needed = [*dataset.ids[dataset.validation], *(dataset.ids[dataset.test] if tested else ())]
    return (validated | tested).issuperset(needed)


def _ids(run: RunFolder, split: str) -> set[str] | None:
    """Of the spectra of a split that a run has scored; None if it left no predictions."""
    if not run.predictions.exists():
        return None
    frame = run.load_predictions()
    return set(frame.loc[frame["split"] == split, "id"] if len(frame) else [])


def _is_of_same_files(*packs: Path | str | None) -> bool:
    """Whether packs were made of the same files; False if one of them is not there, or does not say."""
    sources = [_source(pack) for pack in packs]
    return sources[0] is not None and sources.count(sources[0]) == len(sources)


def _source(pack: Path | str | None) -> Any:
    try:
        about = read_about(Path(pack)) if pack else None
    except UserError:  # a damaged pack: whoever needs its spectra says so
        return None
    return ((about or {}).get("plan") or {}).get("source")
