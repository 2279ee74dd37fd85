"""Spectra in arms that overlap, joined on their common lattice. N spectra, L pixels of an arm, M of all arms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.layout import UnreadableError

SAME_ANGSTROM = 1e-3  # by which wavelengths of one pixel may differ between arms, for rounding


@dataclass(frozen=True)
class Arm:
    """Spectra of one arm."""

    wave_angstrom: NDArray[np.float64]  # [L]
    flux: NDArray[np.float32]  # [N, L]
    ivar: NDArray[np.float32]  # [N, L]
    bad: NDArray[np.bool_]  # [N, L]


@dataclass(frozen=True)
class Lattice:
    """The pixels of all arms.

    Args:
        wave_angstrom: [M], rising.
        places: of each arm's pixels among them.
    """

    wave_angstrom: NDArray[np.float64]
    places: list[slice]

    @staticmethod
    def of(waves: Sequence[NDArray[np.float64]]) -> "Lattice":
        """The lattice of some arms.

        Raises:
            UnreadableError: wavelengths do not rise, or arms overlap and have other pixels there.
        """
        if any(wave.ndim != 1 or not len(wave) or not (np.diff(wave) > 0).all() for wave in waves):
            raise UnreadableError("wrong layout: wavelengths of an arm do not rise")
        joined, places = np.zeros(0), [slice(0)] * len(waves)
        for arm in sorted(range(len(waves)), key=lambda arm: waves[arm][0]):
            wave = waves[arm]
            start = int(np.searchsorted(joined, wave[0] - SAME_ANGSTROM))
            num_shared = min(len(joined) - start, len(wave))
            if np.abs(joined[start : start + num_shared] - wave[:num_shared]).max(initial=0) > SAME_ANGSTROM:
                raise UnreadableError("wrong layout: arms overlap, but have other pixels there")
            joined = np.concatenate([joined, wave[num_shared:]])
            places[arm] = slice(start, start + len(wave))
        return Lattice(joined, places)


def join_arms(
    arms: Sequence[Arm], lattice: Lattice
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Flux, inverse variance and bad pixels [N, M], where arms overlap weighted by inverse variance.

    A bad pixel has no weight next to a good one, and is bad if no other arm has a good pixel with weight. This is
    desispec's `coadd_cameras`, but for bad pixels, which have weight there as far as their inverse variance is not 0.
    """
    shape = len(arms[0].flux), len(lattice.wave_angstrom)
    placed = list(zip(arms, lattice.places, strict=True))
    some_good, some_bad = np.zeros(shape, bool), np.zeros(shape, bool)
    for arm, place in placed:
        some_good[:, place] |= _has_weight(arm) & ~arm.bad
        some_bad[:, place] |= arm.bad
    weighted, weight, plain, num_arms = (np.zeros(shape) for _ in range(4))
    for arm, place in placed:
        counts = _has_weight(arm) & ~(arm.bad & some_good[:, place])
        ivar = np.where(counts, arm.ivar, 0).astype(np.float64)
        weighted[:, place] += np.where(counts, arm.flux, 0) * ivar
        weight[:, place] += ivar
        plain[:, place] += arm.flux
        num_arms[:, place] += 1
    flux = np.where(weight > 0, weighted / np.where(weight > 0, weight, 1), plain / num_arms)
    return flux.astype(np.float32), weight.astype(np.float32), some_bad & ~some_good


def _has_weight(arm: Arm) -> NDArray[np.bool_]:
    return np.isfinite(arm.flux) & np.isfinite(arm.ivar) & (arm.ivar > 0)
