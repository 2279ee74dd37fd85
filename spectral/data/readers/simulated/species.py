"""The absorbers of a stellar atmosphere, and how strong each is at a temperature.

Strength is optical depth at the centre of a species' strongest line. Its temperature of greatest strength follows Saha
and Boltzmann; its height is set by eye so that spectra look like those of their type. Molecules follow a logistic
function of temperature instead. S species, T temperatures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.simulated.atoms import absorbing_fraction
from spectral.data.readers.simulated.grid import Array, rise

TEMPERATURES = np.geomspace(2500.0, 50000.0, 400)  # [T], K


@dataclass(frozen=True)
class Atom:
    """Strength is `peak` at the temperature where the absorbing fraction is largest, else its ratio ** `growth`."""

    ionisation_ev: Sequence[float]
    stage: int
    excitation_ev: float
    peak: float
    growth: float

    def strength(self, temperature_k: NDArray[np.float64]) -> Array:
        fraction = absorbing_fraction(temperature_k, self.ionisation_ev, self.stage, self.excitation_ev)
        return np.asarray(self.peak * (fraction / fraction.max()) ** self.growth, dtype=np.float32)


@dataclass(frozen=True)
class Molecule:
    """Strength falls from `peak` to 0 around the temperature of half dissociation."""

    half_k: float
    width_k: float
    peak: float
    weak_below_k: float = 0.0  # other molecules take the atoms, or hide the band, in cooler stars

    def strength(self, temperature_k: NDArray[np.float64]) -> Array:
        formed = rise((self.half_k - temperature_k) / self.width_k)
        shown = rise((temperature_k - self.weak_below_k) / self.width_k)
        return np.asarray(self.peak * formed * shown, dtype=np.float32)


HYDROGEN = ((13.598,), 0, 10.199)
SPECIES: Mapping[str, Atom | Molecule] = {
    "H core": Atom(*HYDROGEN, peak=1.0, growth=0.17),
    "H wings": Atom(*HYDROGEN, peak=0.8, growth=0.4),
    "H limit": Atom(*HYDROGEN, peak=0.9, growth=0.35),
    "He I": Atom((24.587, 54.418), 0, 20.964, peak=0.35, growth=0.5),
    "He II": Atom((24.587, 54.418), 1, 50.0, peak=0.35, growth=0.4),
    "Ca II": Atom((6.113, 11.872, 50.913), 1, 0.0, peak=2.6, growth=0.75),
    "Ca I": Atom((6.113, 11.872), 0, 0.0, peak=1.6, growth=0.5),
    "Na I": Atom((5.139, 47.286), 0, 0.0, peak=1.5, growth=0.35),
    "K I": Atom((4.341, 31.63), 0, 0.0, peak=0.9, growth=0.4),
    "Mg I": Atom((7.646, 15.035), 0, 2.712, peak=1.0, growth=0.5),
    "Mg II": Atom((7.646, 15.035, 80.144), 1, 8.864, peak=0.3, growth=0.4),
    "O I": Atom((13.618, 35.121), 0, 9.146, peak=0.25, growth=0.4),
    "Fe I": Atom((7.902, 16.199), 0, 1.5, peak=0.9, growth=0.45),
    "Fe II": Atom((7.902, 16.199, 30.651), 1, 2.8, peak=0.35, growth=0.5),
    "blends": Atom((7.902, 16.199), 0, 1.0, peak=1.0, growth=0.6),
    "CH": Molecule(5900.0, 350.0, peak=0.6, weak_below_k=4000.0),
    "CN": Molecule(5300.0, 300.0, peak=0.5, weak_below_k=3800.0),
    "MgH": Molecule(4700.0, 250.0, peak=0.5),
    "TiO": Molecule(3450.0, 170.0, peak=1.3),
    "CaH": Molecule(3500.0, 180.0, peak=0.9),
    "VO": Molecule(2950.0, 120.0, peak=0.8),
}
NAMES = tuple(SPECIES)


@cache
def _strength_table() -> Array:
    """[T, S]"""
    return np.stack([species.strength(TEMPERATURES) for species in SPECIES.values()], axis=1)


def strengths(temperature_k: float) -> Array:
    """Strength of each of SPECIES, [S], interpolated at a temperature from 2500 to 50000 K."""
    position = np.log(temperature_k / TEMPERATURES[0]) / np.log(TEMPERATURES[1] / TEMPERATURES[0])
    below, part = divmod(min(max(float(position), 0.0), len(TEMPERATURES) - 1.001), 1.0)
    table = _strength_table()
    return np.asarray(table[int(below)] * np.float32(1 - part) + table[int(below) + 1] * np.float32(part))
