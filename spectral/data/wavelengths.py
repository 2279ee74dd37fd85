"""Wavelengths in any unit and medium, as Angstrom in vacuum."""

import numpy as np
from numpy.typing import NDArray

PER_UNIT = {"angstrom": 1.0, "nm": 10.0, "um": 1e4, "m": 1e10}  # Angstrom in one
CM_IN_ANGSTROM = 1e8
SHORTEST_AIR_ANGSTROM = 2000.0  # shorter ones are given for vacuum, by custom


def to_angstrom(values: NDArray[np.float64], unit: str, medium: str | None = None) -> NDArray[np.float64]:
    """Wavelengths, or wave numbers in cm-1, as wavelengths in Angstrom.

    Args:
        medium: "air" if they were measured there, which is converted; "vacuum"; or None if nobody knows.
    """
    with np.errstate(divide="ignore"):  # a wave number of 0 is infinite, which the checks of wavelengths see
        angstrom = CM_IN_ANGSTROM / values if unit == "cm-1" else values * PER_UNIT[unit]
    return vacuum_angstrom(angstrom) if medium == "air" else angstrom


def vacuum_angstrom(air_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wavelengths in vacuum of those in dry air of 15 degrees Celsius, 1 atm and 0.045 % carbon dioxide.

    Piskunov's inverse of the refractive index of Morton (2000, ApJS 130, 403) after Birch and Downs (1994, Metrologia
    31, 315), as VALD3 uses it: https://www.astro.uu.se/valdwiki/Air-to-vacuum%20conversion. Wavelengths below 2000
    Angstrom stay as they are.
    """
    air = np.asarray(air_angstrom, np.float64)
    converted = air >= SHORTEST_AIR_ANGSTROM
    square = (1e4 / np.where(converted, air, SHORTEST_AIR_ANGSTROM)) ** 2  # of the wave number per micrometre
    index = (
        1
        + 0.00008336624212083
        + 0.02408926869968 / (130.1065924522 - square)
        + 0.0001599740894897 / (38.92568793293 - square)
    )
    return np.where(converted, air * index, air)
