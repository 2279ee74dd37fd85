"""Trials that their pruner has paused (`sweep.promote`).

No storage can change a trial that has ended. So a paused trial is RUNNING in the study, without an owner, until it
continues or no trial of the study is left to run: then it is PRUNED. A command without `sweep.promote` lets it wait.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweeps.study.attributes import CONFIGURATION, PAUSED, REASON

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from sweeps.study.ownership import Ownership


def is_paused(trial: "FrozenTrial") -> bool:
    return trial.state.name == "RUNNING" and bool(trial.user_attrs.get(PAUSED))


def state_name(trial: "FrozenTrial") -> str:
    """complete, pruned, fail, running, paused or waiting."""
    return "paused" if is_paused(trial) else trial.state.name.lower()


def any_running(trials: Sequence["FrozenTrial"]) -> bool:
    """Whether a trial runs, of this or another controller.

    A duplicate that waits for the end of a paused trial does not run.
    """
    paused = {trial.user_attrs.get(CONFIGURATION) for trial in trials if is_paused(trial)}
    running = (trial for trial in trials if trial.state.name == "RUNNING" and not is_paused(trial))
    return any(trial.user_attrs.get(CONFIGURATION) not in paused for trial in running)


def continue_paused(study: "Study", paused: "FrozenTrial", ownership: "Ownership") -> "Trial":
    """Claim a paused trial for this controller. The caller must hold the lock of the study."""
    from optuna.trial import Trial

    trial = Trial(study, paused._trial_id)
    ownership.sign(trial)  # first: if this process is killed here, the trial is still paused
    trial.set_user_attr(PAUSED, False)
    return trial


def let_paused_wait(study: "Study", trials: Sequence["FrozenTrial"]) -> None:
    """Leave all paused trials to be run on, where nothing promotes them. The caller must hold the lock of the study."""
    from optuna.trial import TrialState

    for paused in filter(is_paused, trials):
        study._storage.set_trial_user_attr(paused._trial_id, PAUSED, False)
        study._storage.set_trial_state_values(paused._trial_id, TrialState.WAITING)


def prune_paused(study: "Study", trials: Sequence["FrozenTrial"]) -> None:
    """End all paused trials as pruned. The caller must hold the lock of the study."""
    from optuna.trial import TrialState

    for paused in filter(is_paused, trials):
        reason = paused.user_attrs[REASON].replace("paused", "pruned", 1)
        study._storage.set_trial_user_attr(paused._trial_id, REASON, reason)
        study.tell(paused.number, state=TrialState.PRUNED)
