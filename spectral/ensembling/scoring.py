"""The scores of an ensemble, from what its candidates said: no network runs. M candidates, n spectra, K classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from spectral.ensembling.runs import KINDS, SplitPredictions
from spectral.errors import UserError
from spectral.scoring.cross_fitting import check_can_hold_out, decide_validation, folds_of_objects
from spectral.scoring.decision import Decision
from spectral.scoring.metrics import Floats, Labels
from spectral.scoring.scores import scored_frame
from spectral.scoring.split_scores import Probabilities, split_scores

# From probabilities [M, n, K] and labels [n] to weights [M] of sum 1.
Select = Callable[[Probabilities, Labels], Floats]


@dataclass
class EnsembleScores:
    """Scores and predictions of an ensemble, split by split.

    Args:
        weights: of the candidates [M], selected on all of validation.
        rule: fitted on all of validation.
        scores_decision: whether the rule has scores under its own name even if it is argmax.
    """

    class_names: Sequence[str]
    seed: int
    weights: Floats
    rule: Decision
    scores_decision: bool
    metrics: dict[str, float] = field(default_factory=dict)
    confusions: dict[str, list[list[int]]] = field(default_factory=dict)
    _frames: list[pd.DataFrame] = field(default_factory=list)

    def add(self, split: str, said: SplitPredictions, probability: Probabilities, decided: Labels) -> None:
        """Score probabilities [n, K] and decisions [n] for the spectra of a split."""
        by_rule = decided if self.scores_decision or not self.rule.is_argmax else None
        names, objects = self.class_names, said.objects
        metrics, confusions = split_scores(KINDS[split], probability, by_rule, said.labels, names, self.seed, objects)
        self.metrics |= metrics
        self.confusions |= confusions
        self._frames.append(scored_frame(split, said.ids, probability, decided, said.labels, names, said.groups))

    def add_test(self, said: Sequence[SplitPredictions]) -> None:
        """Decide on the test split by the rule as it was fitted.

        Args:
            said: by each candidate of a weight above 0, in their order, of the same spectra.
        """
        probability = average(np.stack([part.probability for part in said]), self.weights[self.weights > 0])
        self.add("test", said[0], probability, self.rule(probability))

    def predictions(self) -> pd.DataFrame:
        """As predictions.parquet of a run."""
        return pd.concat(self._frames, ignore_index=True)


def score_validation(
    said: Sequence[SplitPredictions],
    select: Select | None,
    make_rule: Callable[[], Decision],
    class_names: Sequence[str],
    seed: int,
    scores_decision: bool,
) -> EnsembleScores:
    """Select the weights, fit the rule, and score both on validation by cross-fitting.

    What is reported of a spectrum is the average under weights that were selected, and the class by a rule that was
    fitted, on the other folds alone.

    Args:
        said: by each candidate [M], of the same validation spectra.
        select: None gives each candidate the same weight.

    Raises:
        UserError: a class has validation spectra of one object alone, so that nothing can be held out.
    """
    probabilities, labels, objects = np.stack([part.probability for part in said]), said[0].labels, said[0].objects
    equal = np.full(len(said), 1 / len(said))
    weights = equal if select is None or len(said) == 1 else select(probabilities, labels)
    whole, rule = average(probabilities, weights), make_rule()
    if rule.num_iterations:
        rule.fit(whole, labels)
    scores = EnsembleScores(class_names, seed, weights, rule, scores_decision)
    if select is None or len(said) == 1:
        scores.add("validation", said[0], whole, decide_validation(make_rule, whole, labels, seed, objects=objects))
        return scores
    _check_can_hold_out(labels, class_names, objects)
    probability, decided = np.empty_like(whole), np.empty_like(labels)
    for rest, held_out in folds_of_objects(labels, seed, objects):
        selected = select(probabilities[:, rest], labels[rest])
        of_rest, of_fold = make_rule(), average(probabilities[:, held_out], selected)
        if of_rest.num_iterations:
            of_rest.fit(average(probabilities[:, rest], selected), labels[rest])
        probability[held_out], decided[held_out] = of_fold, of_rest(of_fold)
    scores.add("validation", said[0], probability, decided)
    return scores


def average(probabilities: Probabilities, weights: Floats) -> Probabilities:
    """The weighted mean [n, K] of probabilities [M, n, K]."""
    mean: Probabilities = np.einsum("m,mnk->nk", weights, probabilities)
    return mean


def _check_can_hold_out(labels: Labels, class_names: Sequence[str], objects: Labels | None) -> None:
    try:
        check_can_hold_out(labels, class_names, objects)
    except UserError as error:
        raise UserError(
            "--select greedy is scored on validation spectra that it has not seen, and needs two of each class, of two "
            "objects, as decision=macro_f1 does: give --select all, or more validation spectra."
        ) from error
