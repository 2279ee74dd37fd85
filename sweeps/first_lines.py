"""What a sweep says before its first trial, where the command does something else than it seems to ask for."""

from collections.abc import Iterator

from sweeps.retries import num_taken
from sweeps.study import SharedStudy


def first_lines(study: SharedStudy) -> Iterator[str]:
    """A sentence each."""
    num_there = num_taken(study.trials())
    if num_there > study.num_trials:
        yield f"The study has {num_there} trials already, more than the {study.num_trials} that are asked for."
    if study.num_retried:
        yield f"Failed trials that are run again: {study.num_retried}."
