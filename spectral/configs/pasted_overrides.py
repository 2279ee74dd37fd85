"""Overrides in a sentence, to be pasted into a command: quoted for the shell and, within, for Hydra."""

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
KEYWORDS = {"null", "true", "false", "inf", "nan"}
SPECIAL = re.compile(r"([\\()\[\]{}:=, \t])")  # what Hydra reads in a key of a mapping only after a backslash
INDEX = re.compile(r"\[(\d+)\]")
NO_TEXT = re.compile(r"[\[{'\"]|.*,")  # a list, a mapping, a text in quotes, or several values
CALL = re.compile(r"\s*[A-Za-z_]\w*\(.*\)\s*")  # of a function, which may be one that Hydra does not know
UNREAD = object()


def pasted_list(key: str, names: Sequence[str]) -> str:
    """`key=[name,...]`, which shell and Hydra read back as these names."""
    return shlex.quote(f"{key}=[{','.join(map(_quoted, names))}]")


def pasted_nulls(key: str, names: Iterable[str]) -> str | None:
    """`key={name: null, ...}`, which shell and Hydra read back as these keys; None if it cannot, such as a number.

    Hydra takes no quotes in keys.
    """
    nulls = dict.fromkeys(names)
    pairs = ", ".join(SPECIAL.sub(r"\\\1", name) + ": null" for name in nulls)
    override = f"{key}={{{pairs}}}"
    return shlex.quote(override) if _read(override) == nulls else None


def pasted_text(key: str, text: str) -> str:
    """`key=text`, which shell and Hydra read back as this text."""
    plain = f"{key}={text}"
    return shlex.quote(plain if _read(plain) == text else f"{key}={_in_quotes(text)}")


def pasted_correction(override: str) -> str | None:
    """What an override that Hydra cannot read was probably meant to be; None if that is not clear.

    An index of its key stands after a dot, and a text with characters such as é or ( in quotes.
    """
    key, equals, value = override.partition("=")
    dotted = INDEX.sub(r".\1", key) + equals
    if not equals or _read(dotted) is UNREAD:
        return None
    if _read(dotted + value) is not UNREAD:
        return shlex.quote(dotted + value)
    is_call = CALL.fullmatch(value) or value.partition("(")[0].strip() in create_functions().definitions
    return None if NO_TEXT.match(value) or is_call else shlex.quote(dotted + _in_quotes(value))


def _read(override: str) -> Any:
    """The value of an override; UNREAD if Hydra cannot read it."""
    try:
        return OverridesParser.create().parse_override(override).value()
    except HydraException:
        return UNREAD


def _quoted(name: str) -> str:
    return name if WORD.fullmatch(name) and name.lower() not in KEYWORDS else _in_quotes(name)


def _in_quotes(text: str) -> str:
    return QuotedString(text, Quote.double).with_quotes()
