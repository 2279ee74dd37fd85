"""Numbers from text, fast: one spectrum is one line of numbers between commas.

simdjson (Langdale and Lemire 2019, "Parsing gigabytes of JSON per second") reads the line as a JSON array straight into
doubles, without a Python object a number; benchmarks/text_parsing.py compares it with other libraries. What JSON does
not know (nan, inf, +1, .5, a comma at the end, whitespace as separator) is read number by number.
"""

from typing import cast

import numpy as np
import simdjson
from numpy.typing import NDArray

from spectral.data.readers.contract import Flux

LONGEST_QUOTE = 20  # characters of a wrong number that are shown
MISSING_WORDS = {"na", "n/a", "#n/a", "none", "null"}  # what other programs write for what is missing, in lower case


def parse_numbers(raw: bytes, *, blank_is_nan: bool = False) -> Flux:
    """The numbers of one line of text, as Python's float() reads them, rounded to float32 [L].

    Numbers stand between commas, whitespace or line ends; one comma may follow the last.

    Args:
        raw: UTF-8 text.
        blank_is_nan: nothing between two commas is NaN, as in CSV, and not an error.

    Raises:
        ValueError: the text is empty, is not UTF-8, or holds something else than numbers; its message is a short
            reason, with details after a colon.
    """
    values = _parse_json(raw)
    if values is None:
        values = _parse_text(_decoded(raw), blank_is_nan)
    if not len(values):
        raise ValueError("no numbers")
    with np.errstate(over="ignore"):  # beyond float32 is inf, as beyond float64 is for float()
        return values.astype(np.float32)


def _parse_json(raw: bytes) -> NDArray[np.float64] | None:
    """None if the text is not a flat JSON array of numbers."""
    if b"[" in raw:  # as_buffer would flatten a nested array
        return None
    try:
        # A parser of its own costs nothing measurable; a shared one refuses to be used by two threads.
        array = cast(simdjson.Array, simdjson.Parser().parse(b"[" + raw + b"]"))
        return np.frombuffer(array.as_buffer(of_type="d"), dtype=np.float64)
    except (ValueError, TypeError, RuntimeError):  # RuntimeError: an integer beyond 64 bits
        return None


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ValueError("text is not UTF-8") from error


def _parse_text(text: str, blank_is_nan: bool) -> NDArray[np.float64]:
    fields = text.removesuffix(",").split(",") if text else []
    if blank_is_nan:
        fields = [field.strip() or "nan" for field in fields]
    try:
        if "_" not in text:  # Python's own separator of digits
            return np.fromiter(map(float, fields), dtype=np.float64, count=len(fields))
    except ValueError:
        pass  # other separators, or something that is no number
    tokens = [token for field in fields for token in field.split() or [""]]
    return np.array([_number(token, position) for position, token in enumerate(tokens)])


def _number(token: str, position: int) -> float:
    try:
        if "_" not in token:
            return float(token)
    except ValueError:
        pass
    shown = token if len(token) <= LONGEST_QUOTE else token[:LONGEST_QUOTE] + "..."
    missing = " (NaN is written as nan)" if token.lower() in MISSING_WORDS else ""
    raise ValueError(f"not a number: '{shown}' in place {position + 1}{missing}")
