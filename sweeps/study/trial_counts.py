"""Count the trials of a study, and run failed ones again (`sweep.retry_failed`).

No storage can change a trial that has ended. So a new trial replaces a failed one: it resumes in the same folder, and
only the new one is counted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.pruners import HyperbandPruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweeps.study.attributes import CONFIGURATION, OWNER, REASON, REPORTED, RETRY_OF, RUNG, TRACEBACK
from sweeps.study.job_records import records_of

OF_THE_END = (OWNER, CONFIGURATION, REASON, TRACEBACK)


def standing(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that count: those that no other trial replaces."""
    replaced = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    return [trial for trial in trials if trial.number not in replaced]


def num_taken(trials: Sequence[FrozenTrial]) -> int:
    """The number of trials that have ended or are running, which the total limits."""
    return sum(trial.state != TrialState.WAITING for trial in standing(trials))


def num_ended(trials: Sequence[FrozenTrial]) -> int:
    """The number of trials that have ended."""
    return sum(trial.state.is_finished() for trial in standing(trials))


def failed(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The failed trials that no other trial replaces."""
    return [trial for trial in standing(trials) if trial.state == TrialState.FAIL]


def has_only_failures(trials: Sequence[FrozenTrial]) -> bool:
    """Whether trials have ended, and all of them failed."""
    return {trial.state for trial in standing(trials) if trial.state.is_finished()} == {TrialState.FAIL}


def last_failure(trials: Sequence[FrozenTrial]) -> str:
    """The reason of the last failed trial; empty if none has failed."""
    reasons = [trial.user_attrs.get(REASON, "") for trial in failed(trials)]
    return str(reasons[-1]) if reasons else ""


def num_jobs_before_retry(attributes: Mapping[str, Any], trials: Sequence[FrozenTrial]) -> int:
    """How many of a trial's job records belong to the failed trial that it replaces: these are not its attempts.

    Args:
        attributes: of the trial.
        trials: of its study, by number.
    """
    failed = attributes.get(RETRY_OF)
    return 0 if failed is None else len(records_of(trials[failed].user_attrs))


def enqueue_failed(study: Study) -> int:
    """Enqueue a new trial for each failed one, with its attributes; returns how many.

    The caller must hold the lock of the study.
    """
    again = failed(study.get_trials(deepcopy=False))
    if again:  # also of a finished study: until these have ended, it is no longer whole
        study.set_user_attr(REPORTED, False)
    # The new trial's number puts it into a bracket of its own, in which the rungs are at other steps.
    has_brackets = isinstance(study.pruner, HyperbandPruner)
    for trial in again:
        kept = {name: value for name, value in trial.user_attrs.items() if name not in OF_THE_END}
        # Like Study.enqueue_trial, but with the steps and the rungs that the pruner noted at some of them: a job that
        # resumes from a checkpoint does not report them again.
        noted = {} if has_brackets else trial.system_attrs
        rungs = {name: value for name, value in noted.items() if name.startswith(RUNG)}
        study.add_trial(
            create_trial(
                state=TrialState.WAITING,
                user_attrs={**kept, RETRY_OF: trial.number},
                system_attrs={"fixed_params": trial.params, **rungs},
                intermediate_values=trial.intermediate_values,
            )
        )
    return len(again)
