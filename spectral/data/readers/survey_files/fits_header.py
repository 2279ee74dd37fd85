"""The header of an HDU: keywords and their values. FITS standard 4.0, section 4."""

import math
import re
from collections.abc import Iterator, Mapping

from spectral.data.readers.survey_files.layout import UnreadableError

CARD = 80  # bytes
COMMENTARY = ("COMMENT ", "HISTORY ", " " * 8)
QUOTED = re.compile(r"'((?:[^']|'')*)'")
MOST_AXES = 999

Value = str | int | float | bool | None


class FitsHeader(Mapping[str, Value]):
    """The first card of each keyword that has a value. Values are parsed when they are asked for.

    Args:
        text: all cards in one string.
        where: the HDU, for the reasons of errors.
    """

    def __init__(self, text: str, where: str) -> None:
        cards = (text[at : at + CARD] for at in range(0, len(text), CARD))
        valued = [card for card in cards if card[8:10] == "= " and not card.startswith(COMMENTARY)]
        self._texts = {card[:8].rstrip(): card[10:] for card in reversed(valued)}
        self._where = where

    def __getitem__(self, keyword: str) -> Value:
        return _parsed(self._texts[keyword])

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def text(self, keyword: str) -> str | None:
        """A value as text without blanks around it, or None if it is absent or blank."""
        value = self.get(keyword)
        return str(value).strip() or None if value is not None else None

    def number(self, keyword: str) -> float | None:
        """A finite number, also one that is written as text; None if there is none."""
        value = self.get(keyword)
        try:
            number = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None

    def needed_number(self, keyword: str, what: str) -> float:
        """Raises UnreadableError if there is no number `keyword`, which gives `what`."""
        number = self.number(keyword)
        if number is None:
            raise UnreadableError(f"wrong layout: {self._where} has no {keyword}, which gives {what}")
        return number

    def count(self, keyword: str, default: int | None = None) -> int:
        """A whole number from 0.

        Raises:
            UnreadableError: it is none, or absent and there is no default.
        """
        value = self.get(keyword, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise UnreadableError(f"damaged FITS: {self._where} has {keyword}={value}, not a whole number")
        return value

    @property
    def axes(self) -> tuple[int, ...]:
        """NAXIS1, NAXIS2 and so on: the first varies fastest."""
        num = self.count("NAXIS")
        if num > MOST_AXES:
            raise UnreadableError(f"damaged FITS: {self._where} has NAXIS={num}")
        return tuple(self.count(f"NAXIS{i}") for i in range(1, num + 1))


def _parsed(text: str) -> Value:
    text = text.strip()
    if quoted := QUOTED.match(text):
        return quoted[1].replace("''", "'").rstrip()
    text = text.partition("/")[0].strip()
    if not text:
        return None
    if text in ("T", "F"):
        return text == "T"
    for kind in (int, float):
        try:
            return kind(text.replace("D", "E").replace("d", "e") if kind is float else text)
        except ValueError:
            continue
    return text
