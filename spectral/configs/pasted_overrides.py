"""Overrides in a sentence, to be pasted into a command: quoted for the shell and, within, for Hydra."""

import re
import shlex
from collections.abc import Iterable, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
KEYWORDS = {"null", "true", "false", "inf", "nan"}
SPECIAL = re.compile(r"([\\()\[\]{}:=, \t])")  # what Hydra reads in a key of a mapping only after a backslash


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
    try:
        found = OverridesParser.create().parse_override(override).value()
    except HydraException:
        return None
    return shlex.quote(override) if found == nulls else None


def _quoted(name: str) -> str:
    if WORD.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return QuotedString(name, Quote.double).with_quotes()
