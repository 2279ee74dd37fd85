"""User mistakes found by a sweep: the class that the commands catch, imported only where one is raised."""

from collections.abc import Iterable


def user_error(sentence: str) -> Exception:
    """The exception to raise for a mistake, with the one sentence that is shown."""
    return user_error_type()(sentence)


def user_error_type() -> type[Exception]:
    """What to catch; a function, since importing sweeps must not import spectral."""
    from spectral.errors import UserError

    return UserError


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The tail of an error sentence: the closest allowed word where one is close, and all that are allowed."""
    from spectral.errors import nearest as nearest_word

    return nearest_word(word, allowed)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A part of an error sentence, "did you mean 'x'? ": the closest known word; empty where none is close."""
    from spectral.errors import did_you_mean as closest

    return closest(word, known)


def first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
