"""Errors for mistakes of the user. Their class is imported from spectral only when it is needed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omegaconf.errors import OmegaConfBaseException


def user_error(sentence: str) -> Exception:
    """The exception to raise for a mistake of the user, with the one sentence to show."""
    return user_error_type()(sentence)


def user_error_type() -> type[Exception]:
    """The exception class to catch. A function, since importing sweeps must not import spectral."""
    from spectral.errors import UserError

    return UserError


def in_use_error_type() -> type[Exception]:
    """The class of a mistake to catch if another process has the folder of a run; a function, as above."""
    from spectral.errors import InUseError

    return InUseError


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The end of an error sentence: all allowed words, and the closest one if one is close."""
    from spectral.errors import nearest as nearest_word

    return nearest_word(word, allowed)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A part of an error sentence, "did you mean 'x'? ", with the closest known word; empty if none is close."""
    from spectral.errors import did_you_mean as closest

    return closest(word, known)


def os_error_sentence(error: OSError) -> str | None:
    """The sentence for a path that cannot be what the user gave it for; None if the error is about anything else."""
    from spectral.errors import os_error_sentence as sentence

    return sentence(error)


def config_sentence(error: "OmegaConfBaseException", fields: Iterable[str], prefix: str) -> str:
    """The sentence for a wrong key or type that OmegaConf found in the node `prefix`, which has these fields."""
    from spectral.configs.messages import config_sentence as sentence

    return sentence(error, list(fields), prefix)


def first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
