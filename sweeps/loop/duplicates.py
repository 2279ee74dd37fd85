"""Trials with the same configuration: the first one is run, the others wait for its end and reuse its result."""

from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.study.attributes import OVERRIDES, REASON, REUSED_FROM, RUN_DIR, SEEDS, SPREAD
from sweeps.study.shared_study import SharedStudy

OF_RUNS = (RUN_DIR, OVERRIDES, SEEDS, SPREAD)  # attributes that describe the runs of a trial


def reuse(study: SharedStudy, trial: Trial, earlier: FrozenTrial) -> FrozenTrial:
    """End a trial with the result of an earlier trial of the same configuration; returns it as stored in the study.

    Raises:
        TakenOver: another controller has the trial.
    """
    study.report(trial, earlier.intermediate_values)
    study.constrain(trial, earlier.constraints)
    attributes = {name: earlier.user_attrs[name] for name in OF_RUNS if name in earlier.user_attrs}
    attributes[REASON] = f"the same configuration as trial {earlier.number}"
    attributes[REUSED_FROM] = earlier.number
    values = earlier.values if earlier.state == TrialState.COMPLETE else None
    return study.finish(trial, earlier.state, values, attributes)
