"""Macro-F1 of runs on the same spectra: its uncertainty, and its difference. n spectra, S seeds, K classes.

Repeated folds are S divisions of the spectra into folds. Objects are resampled, with all their spectra, if the
predictions name their group; else spectra.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.results.out_of_fold import divisions, pooled
from sweeps.results.run import Run
from sweeps.results.seeds_or_folds import replicate

SPLITS = ("validation", "test", "all", "train")  # the last two of evaluations
NO_PREDICTIONS = "their predictions are not all there"
OTHER_SURVEY = "they are not of the same survey"
OTHER_SPECTRA = "no split of both has the same spectra"
SEED = 0
PROBABILITY = "probability/"
KEYS = {"validation": "val"}  # of a split in result.json, if it has another name there

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """Macro-F1 of one trial minus that of another on the spectra of a split, each a mean over its seeds.

    Args:
        score: its name in result.json, without the split: "macro_f1", or "decision/macro_f1" if a run of the two has a
            decision rule other than argmax.
        mean_over: of the first and of the other trial, which runs its score is of, in brackets; empty for one run.
        low, high: 95 % interval of the difference: the spectra are resampled, for all runs at once.
        by_seed: the difference for each seed that both trials have.
    """

    split: str
    score: str
    num_spectra: int
    mean_over: tuple[str, str]
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


def paired_differences(
    mine: Sequence[Run], other: Sequence[Run], same_survey: bool = True
) -> tuple[dict[str, Difference], str]:
    """The difference for each split in which all runs predicted the same spectra; and the reason if there is none.

    Args:
        mine, other: the runs of the two trials, one per seed.
        same_survey: whether the runs must have the same survey. If not, it is enough that ids and labels are the same:
            for spectra that are known to be so, but were packed on another grid.
    """
    fingerprints = {run.survey_fingerprint for run in (*mine, *other)}
    if not (mine and other) or "" in fingerprints:
        return {}, NO_PREDICTIONS
    if same_survey and len(fingerprints) > 1:
        return {}, OTHER_SURVEY
    found = {split: _difference(split, _said(mine, split), _said(other, split)) for split in SPLITS}
    differences = {split: difference for split, difference in found.items() if difference}
    if differences:
        return differences, ""
    return {}, NO_PREDICTIONS if any(run.predictions.empty for run in (*mine, *other)) else OTHER_SPECTRA


def difference_sentence(found: Difference, first: str, other: str) -> str:
    """What a difference shows of two trials by their names: `other` is the one whose score is `mine`."""
    better = other if found.value > 0 else first
    verdict = (
        f"is clear of zero: {better} is better on these spectra"
        if found.is_shown
        else "contains zero, so that these spectra do not show which is better"
    )
    ours, theirs = found.mean_over
    name = f"{KEYS.get(found.split, found.split)}/{found.score}"
    return (
        f"{name} of {other}{ours} less that of {first}{theirs}: {found.value:+.4f} on the same "
        f"{found.num_spectra:,} spectra; the 95 % interval, {found.low:+.4f} to {found.high:+.4f}, {verdict}."
    )


def mean_interval(runs: Sequence[Run], split: str, by_rule: bool = True) -> tuple[float, float] | None:
    """95 % interval of the mean over runs of macro-F1; None if they did not predict the same spectra.

    Args:
        by_rule: by the runs' decision rules; otherwise by argmax.
    """
    from spectral.scoring.bootstrap import bootstrap_interval

    same = _same_spectra(_said(runs, split).tables, runs[0].class_names, by_rule)
    return None if same is None else bootstrap_interval(same.label, same.predicted, SEED, groups=same.groups)


@dataclass(frozen=True)
class _Said:
    """What a trial says of a split.

    Args:
        runs: that have its scores: of folds together, on validation, their evaluation.
        tables: predictions, one for each run; of repeated folds together one for each division.
        is_together: whether they are of folds together.
    """

    runs: Sequence[Run]
    tables: Sequence[pd.DataFrame]
    is_together: bool

    @property
    def mean_over(self) -> str:
        """See Difference."""
        num = len(self.tables)
        if self.is_together:
            return f" (mean over {num} divisions, the folds of each together)" if num > 1 else " (its folds together)"
        return f" (mean over {num} {replicate(self.runs)}s)" if num > 1 else ""


def _said(runs: Sequence[Run], split: str) -> _Said:
    """Folds have a validation part each, and together one."""
    together = pooled(runs) if split == "validation" else runs
    is_together = together is not runs
    tables = divisions(runs) if is_together else []
    return _Said(together, tables or [run.split(split) for run in together], is_together)


@dataclass(frozen=True)
class _Same:
    """Predictions of several runs for the same spectra: label [n], predicted [S, n], groups [n] or None."""

    label: Labels
    predicted: Labels
    groups: Labels | None


def _same_spectra(said_of: Sequence[pd.DataFrame], class_names: Sequence[str], by_rule: bool = True) -> _Same | None:
    """The predictions of a split; None unless all tables are of the same spectra with the same labels."""
    tables = [_by_id(table, by_rule) for table in said_of]
    first = tables[0]
    if first.empty or not first.index.is_unique:
        return None
    if not all(table.index.equals(first.index) and table["label"].equals(first["label"]) for table in tables):
        return None
    has_label = first["label"].notna()
    said = pd.DataFrame({k: table["predicted"] for k, table in enumerate(tables)})[has_label]
    label = first["label"][has_label]
    names = dict.fromkeys([*class_names, *label.unique(), *pd.unique(said.to_numpy().ravel())])
    place = {name: k for k, name in enumerate(names)}
    predicted = np.stack([said[k].map(place).to_numpy(np.int64) for k in said])
    return _Same(label.map(place).to_numpy(np.int64), predicted, _groups(tables, has_label))


def _by_id(table: pd.DataFrame, by_rule: bool) -> pd.DataFrame:
    """label, predicted, and group if the run knows it, sorted by id."""
    if not by_rule:
        table = table.assign(predicted=_most_probable(table))
    return table[[name for name in ("id", "label", "predicted", "group") if name in table]].set_index("id").sort_index()


def _most_probable(table: pd.DataFrame) -> "pd.Series[Any]":
    """The class of the highest probability; what was predicted if the run left no probabilities."""
    probability = table.filter(like=PROBABILITY)
    if probability.empty:
        return table["predicted"]
    names = np.array([str(name).removeprefix(PROBABILITY) for name in probability], dtype=object)
    return pd.Series(names[probability.to_numpy().argmax(axis=1)], index=table.index)


def _groups(tables: Sequence[pd.DataFrame], has_label: "pd.Series[bool]") -> Labels | None:
    """The number of each labelled spectrum's object, by the first run that names it."""
    from spectral.scoring.bootstrap import group_numbers

    named = [table["group"][has_label] for table in tables if "group" in table]
    return group_numbers(named[0]) if named else None


def _difference(split: str, mine: _Said, other: _Said) -> Difference | None:
    from spectral.scoring.bootstrap import paired_bootstrap_interval

    same = _same_spectra([*mine.tables, *other.tables], mine.runs[0].class_names)
    if same is None:
        return None
    num_mine = len(mine.tables)
    one, two = same.predicted[:num_mine], same.predicted[num_mine:]
    low, high = paired_bootstrap_interval(same.label, one, two, SEED, groups=same.groups)
    scores = [_macro_f1(same, row) for row in same.predicted]
    ours, theirs = scores[:num_mine], scores[num_mine:]
    key = KEYS.get(split, split)
    has_rule = any(f"{key}/decision/macro_f1" in run.result for run in (*mine.runs, *other.runs))
    return Difference(
        split=split,
        score="decision/macro_f1" if has_rule else "macro_f1",
        num_spectra=len(same.label),
        mean_over=(mine.mean_over, other.mean_over),
        mine=fmean(ours),
        other=fmean(theirs),
        low=low,
        high=high,
        by_seed=[] if mine.is_together or other.is_together else _by_seed(mine.runs, ours, other.runs, theirs),
    )


def _by_seed(mine: Sequence[Run], ours: Sequence[float], other: Sequence[Run], theirs: Sequence[float]) -> list[float]:
    of_seed = {run.seed_index: score for run, score in zip(other, theirs, strict=True)}
    return [score - of_seed[run.seed_index] for run, score in zip(mine, ours, strict=True) if run.seed_index in of_seed]


def _macro_f1(same: _Same, predicted: Labels) -> float:
    from spectral.scoring.metrics import f1_by_class

    num_classes = int(max(same.label.max(), predicted.max())) + 1
    return float(f1_by_class(same.label, predicted, num_classes)[np.unique(same.label)].mean())
