"""How many atoms can absorb a line at a temperature: the equations of Boltzmann and Saha."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BOLTZMANN_EV = 8.617333e-5  # eV / K
BOLTZMANN_SI = 1.380649e-23  # J / K
ELECTRON_PRESSURE_PA = 20.0  # as Carroll & Ostlie, "An Introduction to Modern Astrophysics", section 8.1, take it
SAHA_CONSTANT = 2.41468e21  # (2 pi m_e k / h^2)^(3/2), m^-3 K^(-3/2)


def absorbing_fraction(
    temperature_k: ArrayLike, ionisation_ev: Sequence[float], stage: int, excitation_ev: float
) -> NDArray[np.float64]:
    """The fraction of an element that is in one ionisation stage and excited, up to a constant factor.

    Boltzmann's equation times Saha's (Carroll & Ostlie, eq. 8.6 and 8.9) at a fixed electron pressure. Ratios of
    partition functions are taken as 1, which shifts temperatures by a few per cent.

    Args:
        temperature_k: any shape, K.
        ionisation_ev: energies of successive ionisations, eV.
        stage: 0 neutral, 1 singly ionised, ...
        excitation_ev: of the line's lower level, eV.
    """
    temperature = np.asarray(temperature_k, dtype=np.float64)
    electrons = ELECTRON_PRESSURE_PA / (BOLTZMANN_SI * temperature)  # m^-3
    populations = [np.ones_like(temperature)]
    for energy in ionisation_ev:
        ratio = 2 * SAHA_CONSTANT * temperature**1.5 / electrons * np.exp(-energy / (BOLTZMANN_EV * temperature))
        populations.append(populations[-1] * ratio)
    fraction: NDArray[np.float64] = populations[stage] / np.sum(populations, axis=0)
    return fraction * np.exp(-excitation_ev / (BOLTZMANN_EV * temperature))
