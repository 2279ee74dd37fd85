"""Mistakes a user can make, as opposed to bugs."""

from collections.abc import Iterable
from difflib import get_close_matches

LEAST_ALIKE = 0.65  # of difflib: tep may be meant for tpe, bayes is not for cmaes


class UserError(Exception):
    """A mistake in the command, the config or the data. Its message is one sentence, shown without a traceback."""


class InUseError(UserError):
    """Another process has the folder of a run."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A part of an error sentence, "did you mean 'x'? ": the closest known word; empty if none is close."""
    by_letters = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_letters, n=1, cutoff=LEAST_ALIKE)
    return f"did you mean '{by_letters[close[0]]}'? " if close else ""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The tail of an error sentence: the closest allowed word where one is close, and all that are allowed."""
    names = sorted(allowed)
    return f"{did_you_mean(word, names)}allowed: {', '.join(names)}" if names else "none is allowed there"
