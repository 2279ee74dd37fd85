"""The wavelengths that a table's column names, or an array, give in some unit."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectral.configs.readers import WAVE_UNITS
from spectral.data.wavelengths import to_angstrom
from spectral.errors import UserError

log = logging.getLogger(__name__)

NUMBER = r"[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?"
UNIT = r"angstrom|å|nm|um|µm|cm\^?-1|cm\^\{-1\}|cm⁻¹|1/cm"
WITH_UNIT = re.compile(rf"({NUMBER}) *({UNIT})?", re.IGNORECASE)  # 400.5, 400nm, -8, 4.0e+02
OF_0_1 = re.compile(r"\d+(?:[.,]\d+)? *(?:angstrom|å|nm|um|µm|cm\^?-1)?", re.IGNORECASE)  # what 0.1 knew of them
SAME_UNIT = {"å": "angstrom", "µm": "um", **dict.fromkeys(["cm^-1", "cm^{-1}", "cm⁻¹", "1/cm"], "cm-1")}


def any_newly_numbered(names: Iterable[str]) -> bool:
    """Whether one of some names is a number that 0.1 did not know as one: with a sign, an exponent or another unit."""
    return any(WITH_UNIT.fullmatch(name) and not OF_0_1.fullmatch(name) for name in names)


@dataclass(frozen=True)
class Axis:
    """A table's wavelengths [L], the unit in which its column names give them, and their medium, if that is known."""

    wave_angstrom: NDArray[np.float64]
    unit: str
    medium: str | None


def named_axis(names: Sequence[str], unit: str | None, medium: str | None, source: str) -> Axis | None:
    """The wavelengths that pixel columns are named by.

    None if the names are no axis, or if neither they nor `unit` (data.wave_unit) say what they are in.

    Raises:
        UserError: a unit is given, but the names are no axis, or they have another unit.
    """
    axis = _axis(names, unit, medium, source)
    if axis is None:
        warn_of_medium(medium, source)
    return axis


def warn_of_medium(medium: str | None, source: str) -> None:
    """Say that data.wave_medium does nothing, if it is given: a source has no wavelengths."""
    if medium is not None:
        log.warning("data.wave_medium=%s does nothing: %s gives no wavelengths.", medium, source)


def _axis(names: Sequence[str], unit: str | None, medium: str | None, source: str) -> Axis | None:
    matches = [WITH_UNIT.fullmatch(name) for name in names]
    numbers = np.array([float(match[1].replace(",", ".")) for match in matches if match])
    steps = np.diff(numbers)
    rising = len(numbers) == len(names) > 1 and bool((steps > 0).all() or (steps < 0).all())
    if not rising or (numbers <= 0).any():
        if unit:
            why = "reach 0: wavelengths must be above 0" if rising else "are not named by numbers that rise or fall"
            if len(numbers) < len(names):
                why = f"are not named by numbers alone, such as 400.5 or 400.5{unit}"
            pixels = f"the pixels of {source}, {names[0]} to {names[-1]}"
            raise UserError(f"data.wave_unit={unit} has no wavelengths: {pixels}, {why}.")
        return None
    written = {(match[2] or "").lower() for match in matches if match} - {""}
    in_names = next(iter({SAME_UNIT.get(word, word) for word in written}), None)
    if unit and in_names and unit != in_names:
        raise UserError(f"data.wave_unit={unit} does not fit the column names of {source}, such as '{names[0]}'.")
    if unit := unit or in_names:
        return Axis(to_angstrom(numbers, unit, medium), unit, None if medium is None else "vacuum")
    if not ((steps == 1).all() and numbers[0] == 1):
        log.warning(
            "The column names %s to %s look like wavelengths: data.wave_unit=%s makes them the axis.",
            names[0],
            names[-1],
            "|".join(WAVE_UNITS),
        )
    return None
