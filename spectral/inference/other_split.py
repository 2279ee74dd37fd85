"""Whether a run is scored on spectra that another run, from which it takes something, was trained on."""

import logging

from spectral.data.dataset import Dataset
from spectral.runs.doubts import doubts_of
from spectral.runs.folder import RunFolder

log = logging.getLogger(__name__)


def doubt_of_split(key: str, other: RunFolder, dataset: Dataset) -> str:
    """Log and return what is said against the other run on the same data, and that it had another split of it.

    Args:
        key: that names the other run, with its value.

    Returns:
        Sentences; empty if nothing is said.
    """
    result = other.load_result() or {}
    is_scored = len(dataset.validation) or len(dataset.test)
    is_same = dataset.survey.is_of(result.get("survey", {}).get("fingerprint", ""))
    if not is_same or not is_scored:
        return ""
    sentences = [f"{key} is in doubt itself: {doubt}" for doubt in doubts_of(result)]
    if not _has_same_split(other, dataset):
        sentences.append(f"{key} has another split: it may have been trained on spectra that this run is scored on.")
    for sentence in sentences:
        log.warning(sentence)
    return " ".join(sentences)


def _has_same_split(other: RunFolder, dataset: Dataset) -> bool:
    """Whether the other run validated on the spectra of this run's validation, and tested on all of this run's test.

    As far as its predictions tell: one that has not scored its test split does not say which spectra are in it.
    """
    if not other.predictions.exists():
        return True
    frame = other.load_predictions()
    validated, tested = (
        set(frame.loc[frame["split"] == split, "id"] if len(frame) else []) for split in ("validation", "test")
    )
    is_same_test = not tested or tested.issuperset(dataset.ids[dataset.test])
    return validated == set(dataset.ids[dataset.validation]) and is_same_test
