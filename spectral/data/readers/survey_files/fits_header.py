"""The header of an HDU as astropy parses it, with what a reader needs of its values, whatever a damaged file says."""

import math
from functools import cached_property

from astropy.io import fits
from astropy.io.fits.verify import VerifyError

from spectral.data.readers.survey_files.layout import UnreadableError

MOST_AXES = 999  # of the standard

Value = str | int | float | complex | bool | None


class FitsHeader:
    """Values of keywords. One that astropy cannot parse counts as absent.

    Args:
        cards: as astropy has them; of a keyword that is there twice the first one counts.
        where: the HDU, for the reasons of errors.
    """

    def __init__(self, cards: fits.Header, where: str) -> None:
        self.cards, self._where = cards, where

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.cards

    def get(self, keyword: str, default: Value = None) -> Value:
        try:
            value = self.cards.get(keyword, default)
        except (VerifyError, ValueError):
            return default
        return None if isinstance(value, fits.card.Undefined) else value

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

    @cached_property
    def axes(self) -> tuple[int, ...]:
        """NAXIS1, NAXIS2 and so on: the first varies fastest."""
        num = self.count("NAXIS")
        if num > MOST_AXES:
            raise UnreadableError(f"damaged FITS: {self._where} has NAXIS={num}")
        return tuple(self.count(f"NAXIS{i}") for i in range(1, num + 1))
