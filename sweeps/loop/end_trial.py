"""How a trial that a controller has run ends, in the study and in its folders."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from sweeps.loop.trial_json import write_trial_json
from sweeps.loop.trial_run import TrialRun
from sweeps.space import Constraint
from sweeps.space.constraints import judge
from sweeps.study.attributes import REASON, SEEDS, SPREAD
from sweeps.study.shared_study import SharedStudy


def end_trial(
    study: SharedStudy, run: TrialRun, constraints: Sequence[Constraint], state: TrialState, reason: str
) -> FrozenTrial:
    """Tell the study and the trial's folders how it ended; gives the trial as the study has it then.

    Raises:
        TakenOver: the trial is another controller's.
    """
    if state == TrialState.COMPLETE:
        state, reason = _constrain(run, constraints)
    if run.violations:
        study.constrain(run.trial, run.violations)
    if run.seeds and run.results:
        run.attributes |= {SEEDS: run.seeds, SPREAD: run.spread}
    values = run.values if state == TrialState.COMPLETE else None
    told = study.finish(run.trial, state, values, {REASON: reason, **run.attributes})
    for k in {0, *run.results}:
        write_trial_json(study, run, run.folder_of(k), state.name.lower(), reason, told.values)
    return told


def _constrain(run: TrialRun, constraints: Sequence[Constraint]) -> tuple[TrialState, str]:
    """How a complete trial ends in view of the constraints: outside them it is complete, but never the best."""
    try:
        run.violations, reason = judge(constraints, [run.folder_of(k) for k in range(run.num_seeds)])
    except ValueError as error:
        return TrialState.FAIL, str(error)
    return TrialState.COMPLETE, reason
