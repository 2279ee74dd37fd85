"""What an ensemble may be made of: single runs, and the folds of one configuration. n spectra, K classes."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectral.configs.dotted import flat
from spectral.ensembling.runs import FinishedRun, SplitPredictions, check_compatible
from spectral.errors import UserError
from spectral.inference.members import log_prior_ratio
from spectral.runs.identity import is_free
from spectral.runs.mixtures import are_moved, mixes_classes
from spectral.scoring.metrics import Floats
from spectral.scoring.split_scores import Probabilities

log = logging.getLogger(__name__)

KFOLD = "kfold"


@dataclass(frozen=True)
class Candidate:
    """A run, or the folds of one configuration, which count as one.

    On validation each spectrum has the probabilities of the fold that did not train on it, elsewhere the mean of all.
    """

    runs: tuple[FinishedRun, ...]

    @property
    def is_of_folds(self) -> bool:
        return len(self.runs) > 1

    @property
    def name(self) -> str:
        return self.runs[0].name

    @property
    def snapshot(self) -> int | None:
        """Which snapshots of their folds they are, counted from 1; None of single runs, and of folds as they ended."""
        return self.runs[0].result.get("snapshot") if _kfold(self.runs[0]) else None

    @property
    def folds(self) -> list[int]:
        """The folds of a cross-validation that they are."""
        return [split.get("fold", 0) for split in map(_kfold, self.runs) if split]

    def validation(self, common: Floats) -> SplitPredictions:
        """Its predictions of the validation spectra, at the common class priors [K].

        Raises:
            UserError: it has none.
        """
        parts = [(run, run.predictions_of("validation")) for run in self.runs]
        for run, said in parts:
            if said is None:
                raise UserError(f"{run.name} cannot be a member: it has no validation spectra to judge it by.")
        brought = [_brought(run, part, common) for run, part in parts if part is not None]
        if not self.is_of_folds:
            return brought[0]
        joined = _joined(brought)
        # Several divisions into folds: each spectrum once, with its mean.
        _, first, place, times = np.unique(joined.ids, return_index=True, return_inverse=True, return_counts=True)
        sums = np.zeros((len(first), joined.probability.shape[1]))
        np.add.at(sums, place, joined.probability)
        once = joined.take(first)
        return SplitPredictions(once.ids, once.labels, sums / times[:, None], once.groups)

    def test(self, common: Floats) -> SplitPredictions | None:
        """The same of the test split, the mean over the folds; None unless each run has scored it.

        Raises:
            UserError: the folds have other test spectra.
        """
        parts = [(run, run.predictions_of("test")) for run in self.runs]
        said = [_brought(run, part, common) for run, part in parts if part is not None]
        if len(said) < len(parts):
            return None
        names = [run.name for run in self.runs]
        aligned = [in_order_of(said[0], other, names[0], name) for other, name in zip(said, names, strict=True)]
        return SplitPredictions(
            said[0].ids, said[0].labels, np.mean([part.probability for part in aligned], axis=0), said[0].groups
        )


def candidates_of(runs: Sequence[FinishedRun]) -> list[Candidate]:
    """Runs as candidates, in their order: folds of one configuration together, and a network that is there twice once.

    Snapshots of a number that some fold has not are left out, and the log says so.

    Raises:
        UserError: the runs do not classify the same spectra, or the folds have no number of a snapshot in common.
    """
    check_compatible(runs)
    once: dict[str, FinishedRun] = {}
    for run in runs:
        once.setdefault(run.weights_digest, run)
    groups: dict[str, list[FinishedRun]] = {}
    for run in once.values():
        groups.setdefault(_apart_from_fold(run), []).append(run)
    return _of_all_folds([Candidate(tuple(group)) for group in groups.values()])


def common_prior(candidates: Sequence[Candidate]) -> Floats:
    """The class priors [K] at which all are averaged: those of all runs if these are the same, else a geometric mean.

    It is that of the candidates, and the priors of a candidate of folds are the geometric mean of theirs.

    Raises:
        UserError: a run was trained without a class, and another one with it.
    """
    runs = [run for candidate in candidates for run in candidate.runs]
    priors = np.array([run.output_prior for run in runs])
    if np.allclose(priors, priors[0], rtol=1e-6, atol=0):
        return np.asarray(priors[0])
    for run, prior in zip(runs, priors, strict=True):
        if (prior <= 0).any():
            missing = run.classifier.class_names[int(np.argmax(prior <= 0))]
            raise UserError(f"{run.name} cannot be a member: it was trained without the class {missing}.")
    return _geometric_mean([_geometric_mean([run.output_prior for run in one.runs]) for one in candidates])


def _geometric_mean(priors: Sequence[Sequence[float] | Floats]) -> Floats:
    mean = np.exp(np.log(np.asarray(priors)).mean(axis=0))
    return np.asarray(mean / mean.sum())


def moved_mixtures(candidates: Sequence[Candidate], common: Floats) -> str:
    """A sentence on runs whose probabilities are too small to be moved to the common priors; empty if none are."""
    # Of folds their mean: the class shares of theirs differ by a few spectra.
    moved = [
        one.name
        for one in candidates
        if any(mixes_classes(run.config) for run in one.runs)
        and are_moved(_geometric_mean([run.output_prior for run in one.runs]).tolist(), common.tolist())
    ]
    if not moved:
        return ""
    those = f"{moved[0]} was" if len(moved) == 1 else f"{moved[0]} and {len(moved) - 1} more were"
    return (
        f"{those} trained on mixtures (schedule.mixup_alpha), after which probabilities are too small to be moved to "
        "other class shares, as they are here: give runs of the same sampler and loss."
    )


def in_order_of(first: SplitPredictions, other: SplitPredictions, first_name: str, other_name: str) -> SplitPredictions:
    """The predictions of another run for the spectra of a first one, in their order.

    Raises:
        UserError: they are other spectra.
    """
    if np.array_equal(first.ids, other.ids):
        aligned = other
    else:
        rows, sorted_first = np.argsort(other.ids, kind="stable"), np.argsort(first.ids, kind="stable")
        if not np.array_equal(first.ids[sorted_first], other.ids[rows]):
            raise UserError(
                f"{other_name} and {first_name} make no ensemble: they were validated or tested on other spectra, so "
                "give them the same split, or all folds of a cross-validation."
            )
        order = np.empty_like(rows)
        order[sorted_first] = rows
        aligned = other.take(order)
    if not np.array_equal(first.labels, aligned.labels):
        raise UserError(f"{other_name} and {first_name} make no ensemble: their spectra have other labels.")
    return aligned


def _brought(run: FinishedRun, said: SplitPredictions, common: Floats) -> SplitPredictions:
    """Probabilities at the common class priors."""
    ratio = np.exp(log_prior_ratio(run.output_prior, common.tolist(), run.name))
    weighted: Probabilities = said.probability * ratio
    return SplitPredictions(said.ids, said.labels, weighted / weighted.sum(axis=1, keepdims=True), said.groups)


def _joined(parts: Sequence[SplitPredictions]) -> SplitPredictions:
    import pandas as pd

    groups = [part.groups for part in parts if part.groups is not None]
    return SplitPredictions(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.probability for part in parts]),
        pd.concat(groups, ignore_index=True) if len(groups) == len(parts) else None,
    )


def _of_all_folds(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates without those snapshots of folds that lack validation spectra, since some fold ended before them."""
    snapshots: dict[str, list[FinishedRun]] = {}
    for candidate in candidates:
        if candidate.snapshot is not None:
            snapshots.setdefault(_configuration(candidate.runs[0]), []).extend(candidate.runs)
    wholes = {key: Candidate(tuple(runs)) for key, runs in snapshots.items()}
    found, reason = [], ""
    for candidate in candidates:
        number = candidate.snapshot
        whole = candidate if number is None else wholes[_configuration(candidate.runs[0])]
        missing = sorted({*whole.folds} - {*candidate.folds})
        if missing and _validated_by(whole.runs) - _validated_by(candidate.runs):
            lacks = f"fold {missing[0]} has none of that number, or it has the weights of another one that is given"
            reason = f"{candidate.name} is snapshot {number} of its fold, and {lacks}"
            log.warning("%s: the snapshots of this number are left out.", reason)
        else:
            found.append(candidate)
    if not found:
        raise UserError(f"{reason}: name the same snapshots of all folds.")
    return found


def _validated_by(runs: Sequence[FinishedRun]) -> set[Any]:
    """The ids of the validation spectra of some runs."""
    frames = [run.predictions for run in runs if len(run.predictions)]
    return {name for frame in frames for name in frame.loc[frame["split"] == "validation", "id"]}


def _apart_from_fold(run: FinishedRun) -> str:
    """What the folds of one configuration, or their snapshots of one number, have in common; of others the folder."""
    return json.dumps([_configuration(run), run.result.get("snapshot")]) if _kfold(run) else run.name


def _configuration(run: FinishedRun) -> str:
    """What the folds of one configuration have in common, whichever of their snapshots it is."""
    kept = {key: value for key, value in flat(run.config).items() if not is_free(key)}
    return json.dumps(kept | {"split.fold": None}, sort_keys=True, default=str)


def _kfold(run: FinishedRun) -> Mapping[str, Any]:
    """The split of a fold of a cross-validation; empty of any other run."""
    split = run.config.get("split")
    return split if isinstance(split, Mapping) and split.get("name") == KFOLD else {}
