"""Trials with the same configuration: the first one is run, the others wait for its end and reuse its result."""

from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.study.attributes import CONFIGURATION, OVERRIDES, REASON, REUSED_FROM, RUN_DIR, SEEDS, SPREAD
from sweeps.study.renamed import renamed_configuration
from sweeps.study.shared_study import SharedStudy

OF_RUNS = (RUN_DIR, OVERRIDES, SEEDS, SPREAD)  # attributes that describe the runs of a trial


def earlier_duplicate(study: SharedStudy, number: int) -> FrozenTrial | None:
    """An earlier trial with the same configuration that has a result or may get one; None if there is none."""
    trials = study.trials()
    mine = trials[number].user_attrs[CONFIGURATION]
    for trial in trials[:number]:
        configuration = trial.user_attrs.get(CONFIGURATION)
        if configuration and renamed_configuration(configuration) == mine and trial.state != TrialState.FAIL:
            return trial
    return None


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
