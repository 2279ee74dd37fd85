"""The reference of a study: the configuration that it was given to begin with, which the best one is held against."""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.study.shared_study import KNOWN, REFERENCE


def reference_of(trials: Sequence[FrozenTrial], attributes: Mapping[str, Any]) -> FrozenTrial | None:
    """The trial of the first configuration of `sweep.enqueue`; None where there was none, or it did not end well.

    Args:
        attributes: of the study.
    """
    if REFERENCE not in attributes:
        return None
    of_it = (trial for trial in trials if trial.user_attrs.get(KNOWN) == attributes[REFERENCE])
    return next((trial for trial in of_it if trial.state == TrialState.COMPLETE), None)
