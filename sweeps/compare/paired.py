"""The difference of two runs' macro-F1 on the same spectra, and how sure it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sweeps.compare.subjects import Subject
from sweeps.report.runs import Run

SPLITS = {"validation": "val", "test": "test"}  # in predictions.parquet, in result.json
SEED = 0


@dataclass(frozen=True)
class PairedDifference:
    """Macro-F1 of another subject less that of the first, on one split.

    Args:
        low, high: the 95 % interval, by resampling the spectra (percentile bootstrap).
    """

    split: str
    other: str
    first: str
    difference: float
    low: float
    high: float
    num_spectra: int

    def sentence(self) -> str:
        better = self.other if self.difference > 0 else self.first
        verdict = (
            "contains zero, so that these spectra do not tell the two apart"
            if self.low <= 0 <= self.high
            else f"is clear of zero: {better} is better on these spectra"
        )
        return (
            f"{self.split}/macro_f1 of {self.other} less that of {self.first}: {self.difference:+.4f} on the same "
            f"{self.num_spectra:,} spectra; the 95 % interval, {self.low:+.4f} to {self.high:+.4f}, {verdict}."
        )


def paired_differences(first: Subject, other: Subject) -> tuple[list[PairedDifference], str]:
    """The differences of all splits of which both have predictions; why there is none, else an empty sentence."""
    if len(first.runs) > 1 or len(other.runs) > 1:
        return [], f"{other.name} and {first.name}: no paired difference, for one has several seeds; name a run folder."
    one, two = first.runs[0], other.runs[0]
    if not one.survey_fingerprint or one.survey_fingerprint != two.survey_fingerprint:
        return [], f"{other.name} and {first.name}: no paired difference, for they are not of the same survey."
    found = [_of_split(split, first.name, one, other.name, two) for split in SPLITS]
    differences = [difference for difference in found if difference]
    reason = f"{other.name} and {first.name}: no paired difference, for no split of both has the same spectra."
    return differences, "" if differences else reason


def _of_split(split: str, first_name: str, first: Run, other_name: str, other: Run) -> PairedDifference | None:
    """None where the two do not have predictions of the same spectra."""
    from sklearn.metrics import f1_score

    from spectral.bootstrap import paired_bootstrap_interval

    pair = _joined(first.split(split), other.split(split))
    if pair is None:
        return None
    classes = {name: index for index, name in enumerate(first.class_names)}
    label, mine, theirs = (
        np.array(pair[column].map(classes), dtype=np.int64) for column in ("label", "predicted_other", "predicted")
    )
    low, high = paired_bootstrap_interval(label, mine, theirs, len(classes), SEED)
    scores = [
        f1_score(label, predicted, labels=list(classes.values()), average="macro", zero_division=0.0)
        for predicted in (mine, theirs)
    ]
    difference = float(scores[0] - scores[1])
    return PairedDifference(SPLITS[split], other_name, first_name, difference, low, high, len(pair))


def _joined(first: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame | None:
    """Columns label, predicted, predicted_other; None unless both have the same spectra with the same labels."""
    if first.empty or len(first) != len(other) or not (first["id"].is_unique and other["id"].is_unique):
        return None
    joined = first.merge(other, on=["id", "label"], suffixes=("", "_other"))
    return joined if len(joined) == len(first) else None
