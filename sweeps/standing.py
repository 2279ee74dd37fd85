"""Where a study stands as a command takes it up: the line that its user reads first."""

from sweeps.finals import lacks_final
from sweeps.study import SharedStudy


def standing(study: SharedStudy) -> str:
    """Whether a study begins, goes on or is finished, and how many of its trials have ended."""
    trials = study.trials()
    num_ended = sum(trial.state.is_finished() for trial in trials)
    ended = f"{num_ended} of {study.num_trials} trials have ended"
    if not trials:
        return f"The study {study.name} begins."
    if num_ended < study.num_trials:
        return f"The study {study.name} goes on: {ended}."
    if study.config.search_overrides and lacks_final(study.study):
        return f"The study {study.name} goes on: {ended}, and scores on the test split are left."
    return f"The study {study.name} is finished: {ended}."
