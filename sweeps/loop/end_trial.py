"""End a trial that this controller has run: in the study and in the trial's folders."""

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
    """Record in the study and in the trial's folders how it ended; returns the trial as stored in the study.

    Raises:
        TakenOver: another controller has the trial.
    """
    if state == TrialState.COMPLETE:
        state, reason = _constrain(run, constraints)
    if run.violations:
        study.constrain(run.trial, run.violations)
    if run.seeds and run.results:
        run.attributes |= {SEEDS: run.seeds, SPREAD: run.spread}
    values = run.values if state == TrialState.COMPLETE else None
    ended = study.finish(run.trial, state, values, {REASON: reason, **run.attributes})
    for k in {0, *run.results, *(record.seed_index for record in run.records)}:
        write_trial_json(study, run, run.folder_of(k), state.name.lower(), reason, ended.values)
    return ended


def _constrain(run: TrialRun, constraints: Sequence[Constraint]) -> tuple[TrialState, str]:
    """State and reason of a complete trial after checking the constraints. Outside them it stays complete."""
    try:
        run.violations, reason = judge(constraints, [run.folder_of(k) for k in range(run.num_seeds)])
    except ValueError as error:
        return TrialState.FAIL, str(error)
    return TrialState.COMPLETE, reason
