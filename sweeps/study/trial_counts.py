"""Trials that failed and are run again (`sweep.retry_failed`).

A trial that has ended stays so in every storage. A new one continues in its folder, and counts in its place.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweeps.study.attributes import CONFIGURATION, OWNER, REASON, RETRY_OF, TRACEBACK
from sweeps.study.job_records import records_of

OF_THE_END = (OWNER, CONFIGURATION, REASON, TRACEBACK)


def standing(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Those that count: no other has been begun in their place."""
    replaced = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    return [trial for trial in trials if trial.number not in replaced]


def num_taken(trials: Sequence[FrozenTrial]) -> int:
    """Trials that have ended or are being run: what the total counts."""
    return sum(trial.state != TrialState.WAITING for trial in standing(trials))


def num_ended(trials: Sequence[FrozenTrial]) -> int:
    """Those of them that have ended."""
    return sum(trial.state.is_finished() for trial in standing(trials))


def num_jobs_before_retry(attributes: Mapping[str, Any], trials: Sequence[FrozenTrial]) -> int:
    """How many of a trial's job records are of the failed trial in whose place it stands: its attempts begin at 0.

    Args:
        attributes: of the trial.
        trials: of its study, by number.
    """
    failed = attributes.get(RETRY_OF)
    return 0 if failed is None else len(records_of(trials[failed].user_attrs))


def enqueue_failed(study: Study) -> int:
    """Let each trial that failed wait for a new run, with what is known of it; returns their number.

    The caller has the study's lock.
    """
    failed = [trial for trial in standing(study.get_trials(deepcopy=False)) if trial.state == TrialState.FAIL]
    for trial in failed:
        kept = {name: value for name, value in trial.user_attrs.items() if name not in OF_THE_END}
        # As Study.enqueue_trial does; a job that resumes from its checkpoint does not tell its first steps again.
        study.add_trial(
            create_trial(
                state=TrialState.WAITING,
                user_attrs={**kept, RETRY_OF: trial.number},
                system_attrs={"fixed_params": trial.params},
                intermediate_values=trial.intermediate_values,
            )
        )
    return len(failed)
