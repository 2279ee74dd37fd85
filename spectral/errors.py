"""Mistakes a user can make, as opposed to bugs."""

import errno
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

LEAST_ALIKE = 0.65  # of difflib: tep may be meant for tpe, bayes is not for cmaes
NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM)


class UserError(Exception):
    """A mistake in the command, the config or the data. Its message is one sentence, shown without a traceback."""


class InUseError(UserError):
    """Another process has the folder of a run."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A part of an error sentence, "did you mean 'x'? ": the closest known word; empty if none is close."""
    by_letters = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_letters, n=1, cutoff=LEAST_ALIKE)
    return f"did you mean '{by_letters[close[0]]}'? " if close else ""


def nearest(word: str, allowed: Iterable[str | int]) -> str:
    """The tail of an error sentence: the closest allowed word where one is close, and all that are allowed."""
    names = sorted(map(str, allowed))
    return f"{did_you_mean(word, names)}allowed: {', '.join(names)}" if names else "none is allowed there"


def os_error_sentence(error: OSError) -> str | None:
    """The sentence for a path that cannot be what the user gave it for; None if the error is about anything else."""
    if error.errno in NOT_ALLOWED:
        return f"{error.filename} cannot be read or written: {error.strerror}."
    if error.errno == errno.ENAMETOOLONG:
        name = max(Path(str(error.filename)).parts, key=len)
        return f"the name {name[:40]}... has {len(name)} characters, which is too long for a file."
    if error.errno == errno.EISDIR:
        return f"{error.filename2 or error.filename} is a folder, not a file."
    return None
