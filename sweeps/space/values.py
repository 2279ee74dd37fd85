"""Plain values of an axis: which are allowed, whether two are equal, and how to write them as Hydra overrides."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_KEYWORDS = {"null", "true", "false", "inf", "nan"}
LARGEST_EXACT = 2**53  # as a float


def canonical(value: Any) -> str:
    """JSON text that is equal if, and only if, two values are equal: 1, 1.0, true and "1" all differ."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except TypeError:  # keys of several types cannot be sorted
        return canonical({key_text(key): element for key, element in value.items()})


def comparable(value: Any) -> str:
    """As `canonical`, but equal for 1 and 1.0, of which a condition on a numeric axis may be written with either."""
    return canonical(int(value) if isinstance(value, float) and value.is_integer() else value)


def spellings(value: Any) -> list[Any]:
    """A value, and the same number with or without a decimal point: a condition may be written with either."""
    if isinstance(value, float) and value.is_integer():
        return [value, int(value)]
    if is_number(value) and abs(value) <= LARGEST_EXACT:
        return [value, float(value)]
    return [value]


def key_text(key: Any) -> str:
    """A key of a mapping as text, such as a class name that yaml has read as a number or as true."""
    return text(key) if not isinstance(key, str) else key


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_plain(value: Any) -> bool:
    """Whether a value can be written as an override: null, true, numbers, text, and lists and mappings of them."""
    if isinstance(value, list):
        return all(is_plain(element) for element in value)
    if isinstance(value, dict):
        return all(is_key(key_text(key)) and is_plain(element) for key, element in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def is_key(name: str) -> bool:
    """Whether Hydra's parser reads a key of a mapping back as this name."""
    try:
        read = OverridesParser.create().parse_override(f"key={{{name}:1}}").value()
    except HydraException:
        return False
    return isinstance(read, dict) and list(map(key_text, read)) == [name]


def override(key: str, value: Any) -> str:
    """`key=value` in Hydra's syntax, so that its parser gives the same value back."""
    return f"{key}={text(value)}"


def override_of_word(key: str, value: str) -> str:
    """The same for a text, which is not quoted if Hydra's parser reads it as it is, such as a path."""
    plain = f"{key}={value}"
    try:
        read = OverridesParser.create().parse_override(plain)
        is_same = not read.is_sweep_override() and read.value() == value
    except HydraException:
        is_same = False
    return plain if is_same else override(key, value)


def text(value: Any) -> str:
    """A plain value in Hydra's syntax; words are not quoted, any other text is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value if _is_word(value) else QuotedString(value, Quote.single).with_quotes()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key_text(key)}:{text(element)}" for key, element in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(text(element) for element in value) + "]"
    return repr(value)


def _is_word(value: str) -> bool:
    return _WORD.fullmatch(value) is not None and value.lower() not in _KEYWORDS
