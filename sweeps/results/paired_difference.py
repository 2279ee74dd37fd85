"""Macro-F1 of runs on the same spectra: its uncertainty, and its difference. n spectra, S seeds, K classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from sweeps.results.run import Run

SPLITS = ("validation", "test")
OTHER_SURVEY = "they are not of the same survey"
OTHER_SPECTRA = "no split of both has the same spectra"
SEED = 0

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """Macro-F1 of one trial minus that of another on the spectra of a split, each a mean over its seeds.

    Args:
        num_seeds: of the first and of the other trial.
        low, high: 95 % interval of the difference, from a bootstrap that resamples the spectra for all runs at once.
        by_seed: the difference for each seed that both trials have.
    """

    split: str
    num_spectra: int
    num_seeds: tuple[int, int]
    mine: float
    other: float
    low: float
    high: float
    by_seed: list[float]

    @property
    def value(self) -> float:
        return self.mine - self.other

    @property
    def is_shown(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def paired_differences(mine: Sequence[Run], other: Sequence[Run]) -> tuple[dict[str, Difference], str]:
    """The difference for each split in which all runs predicted the same spectra; and the reason if there is none.

    Args:
        mine, other: the runs of the two trials, one per seed.
    """
    fingerprints = {run.survey_fingerprint for run in (*mine, *other)}
    if len(fingerprints) > 1 or "" in fingerprints or not (mine and other):
        return {}, OTHER_SURVEY
    found = {split: _difference(split, mine, other) for split in SPLITS}
    differences = {split: difference for split, difference in found.items() if difference}
    return differences, "" if differences else OTHER_SPECTRA


def mean_interval(runs: Sequence[Run], split: str) -> tuple[float, float] | None:
    """95 % interval of macro-F1, averaged over runs; None if the runs did not predict the same spectra."""
    from spectral.scoring.bootstrap import bootstrap_interval

    same = _same_spectra(runs, split)
    return None if same is None else bootstrap_interval(same.label, same.predicted, same.num_classes, SEED)


@dataclass(frozen=True)
class _Same:
    """Predictions of several runs for the same spectra: label [n], predicted [S, n]."""

    label: Labels
    predicted: Labels
    num_classes: int


def _same_spectra(runs: Sequence[Run], split: str) -> _Same | None:
    """The predictions of a split; None unless all runs predicted the same spectra with the same labels."""
    tables = [run.split(split)[["id", "label", "predicted"]].set_index("id").sort_index() for run in runs]
    first = tables[0]
    if first.empty or not first.index.is_unique:
        return None
    if not all(table.index.equals(first.index) and table["label"].equals(first["label"]) for table in tables):
        return None
    has_label = first["label"].notna()
    said = pd.DataFrame({k: table["predicted"] for k, table in enumerate(tables)})[has_label]
    label = first["label"][has_label]
    names = dict.fromkeys([*runs[0].class_names, *label.unique(), *pd.unique(said.to_numpy().ravel())])
    place = {name: k for k, name in enumerate(names)}
    predicted = np.stack([said[k].map(place).to_numpy(np.int64) for k in said])
    return _Same(label.map(place).to_numpy(np.int64), predicted, len(names))


def _difference(split: str, mine: Sequence[Run], other: Sequence[Run]) -> Difference | None:
    from spectral.scoring.bootstrap import paired_bootstrap_interval

    same = _same_spectra([*mine, *other], split)
    if same is None:
        return None
    one, two = same.predicted[: len(mine)], same.predicted[len(mine) :]
    low, high = paired_bootstrap_interval(same.label, one, two, same.num_classes, SEED)
    scores = [_macro_f1(same, row) for row in same.predicted]
    ours, theirs = scores[: len(mine)], scores[len(mine) :]
    of_seed = {run.seed_index: score for run, score in zip(other, theirs, strict=True)}
    by_seed = [
        score - of_seed[run.seed_index] for run, score in zip(mine, ours, strict=True) if run.seed_index in of_seed
    ]
    num_seeds = (len(mine), len(other))
    return Difference(split, len(same.label), num_seeds, fmean(ours), fmean(theirs), low, high, by_seed)


def _macro_f1(same: _Same, predicted: Labels) -> float:
    classes = range(same.num_classes)
    return float(f1_score(same.label, predicted, labels=classes, average="macro", zero_division=0))
