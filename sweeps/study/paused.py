"""Trials that their pruner has paused (`sweep.promote`).

No storage can change a trial that has ended. So a paused trial is RUNNING in the study, without an owner, until it
continues or no trial of the study is left to run: then it is PRUNED.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweeps.study.attributes import CONFIGURATION, PAUSED

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


def is_paused(trial: "FrozenTrial") -> bool:
    return trial.state.name == "RUNNING" and bool(trial.user_attrs.get(PAUSED))


def state_name(trial: "FrozenTrial") -> str:
    """complete, pruned, fail, running, paused or waiting."""
    return "paused" if is_paused(trial) else trial.state.name.lower()


def any_running(trials: Sequence["FrozenTrial"]) -> bool:
    """Whether a trial runs, of this or another controller, or waits to run.

    A duplicate that waits for the end of a paused trial does not run.
    """
    paused = {trial.user_attrs.get(CONFIGURATION) for trial in trials if is_paused(trial)}
    unfinished = (trial for trial in trials if not trial.state.is_finished() and not is_paused(trial))
    return any(trial.user_attrs.get(CONFIGURATION) not in paused for trial in unfinished)
