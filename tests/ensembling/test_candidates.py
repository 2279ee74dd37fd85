"""What counts as one candidate of an ensemble, and at which class priors all are averaged."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spectral.ensembling.candidates import Candidate, candidates_of, common_prior, moved_mixtures
from spectral.ensembling.runs import FinishedRun
from spectral.errors import UserError


def as_fold(run: FinishedRun, fold: int, of: FinishedRun, **config: Any) -> FinishedRun:
    """A run with the config of another one, as a fold of a cross-validation."""
    return replace(run, config=of.config | {"split": {"name": "kfold", "fold": fold}} | config)


def test_folds_are_one_candidate_unless_what_is_computed_differs(members: list[Path]) -> None:
    runs = [FinishedRun.open(members[place]) for place in (0, 2)]

    def num_candidates(*data_of_folds: dict[str, Any]) -> int:
        folds = [as_fold(runs[fold], fold, runs[0], data=data) for fold, data in enumerate(data_of_folds)]
        return len(candidates_of(folds))

    assert num_candidates({"num_workers": 1}, {"num_workers": 4, "rows_per_part": 9}) == 1
    assert num_candidates({"limit": None}, {"limit": 9}) == 2


def geometric_mean(*priors: NDArray[np.float64] | list[float]) -> NDArray[np.float64]:
    mean = np.exp(np.log(priors).mean(axis=0))
    return np.asarray(mean / mean.sum())


def test_folds_alone_are_not_moved_mixtures(members: list[Path]) -> None:
    """Of a class with few spectra the shares of folds differ by more than a tenth, and no other runs can be given."""
    run = FinishedRun.open(members[0])
    mixed = replace(run, config=run.config | {"schedule": {"mixup_alpha": 0.2}})
    shares = [[0.5, 0.49, 0.010]] * 4 + [[0.5, 0.49, 0.008]]
    folds = [replace(mixed, classifier=replace(run.classifier, output_prior=one)) for one in shares]
    alone = Candidate(tuple(folds))
    assert moved_mixtures([alone], common_prior([alone])) == ""
    other = Candidate((replace(mixed, classifier=replace(run.classifier, output_prior=[0.2, 0.2, 0.6])),))
    assert "trained on mixtures" in moved_mixtures([alone, other], common_prior([alone, other]))


def test_the_class_priors_are_those_of_the_candidates_each_counted_once(members: list[Path]) -> None:
    priors = [[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.1, 0.6, 0.3]]
    runs = [FinishedRun.open(path) for path in members]
    first, second, third = (
        replace(run, classifier=replace(run.classifier, output_prior=prior))
        for run, prior in zip(runs, priors, strict=True)
    )
    named_twice = candidates_of([first, second, first])
    assert [candidate.name for candidate in named_twice] == [first.name, second.name]
    np.testing.assert_allclose(common_prior(named_twice), geometric_mean(*priors[:2]))
    with_folds = candidates_of([as_fold(first, 0, first), as_fold(third, 1, first), second])
    assert [len(candidate.runs) for candidate in with_folds] == [2, 1]
    of_folds = geometric_mean(priors[0], priors[2])
    np.testing.assert_allclose(common_prior(with_folds), geometric_mean(of_folds, priors[1]))


def test_snapshots_that_some_fold_did_not_reach_are_left_out_and_named(
    members: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    """As folds leave them that end early, by schedule.patience_epochs."""
    runs = [FinishedRun.open(path) for path in members]

    def snapshot(run: FinishedRun, fold: int, number: int) -> FinishedRun:
        ids = run.predictions.assign(id=f"{fold}-" + run.predictions["id"])  # each fold validates on its own spectra
        return replace(as_fold(run, fold, runs[0]), result=run.result | {"snapshot": number}, predictions=ids)

    first, other_fold, longer = snapshot(runs[0], 0, 1), snapshot(runs[2], 1, 1), snapshot(runs[1], 0, 2)
    (candidate,) = candidates_of([first, longer, other_fold])
    assert candidate.runs == (first, other_fold)
    other = "or it has the weights of another one that is given"
    reason = f"{longer.name} is snapshot 2 of its fold, and fold 1 has none of that number, {other}"
    assert [f"{reason}: the snapshots of this number are left out."] == [one.getMessage() for one in caplog.records]
    with pytest.raises(UserError, match="another one that is given: name the same snapshots of all folds"):
        candidates_of([longer, other_fold])
