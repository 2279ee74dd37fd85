"""What each row of the survey is, drawn from the seed and the row's number alone.

A row is an observation of an object. Most rows have an object of their own; some observe an earlier row's object once
more. Objects and observations have a random stream each, so that neither the number of rows nor the order of reading
changes a spectrum.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from spectral.data.readers.simulated import galaxies, quasars, stars, unknown
from spectral.data.readers.simulated.grid import Array

OBJECT_STREAM, OBSERVATION_STREAM = 1, 2
REPEAT_SHARE, REPEAT_REACH = 0.03, 200  # of rows that repeat an object, and how many rows back it is
COUNTS_MEDIAN, COUNTS_SCATTER = 300.0, 1.0  # lognormal, as in LAMOST's relative flux calibration

STAR_SHARES = {name: row[0] for name, row in stars.SUBCLASSES.items()}
GALAXY_SHARES = {name: row[0] for name, row in galaxies.SUBCLASSES.items()}


@dataclass(frozen=True)
class SkyObject:
    """A star, a galaxy or a quasar; `light` makes its flux above the atmosphere, [L]."""

    label: str
    subclass: str
    redshift: float
    light: Callable[[], Array]


@dataclass(frozen=True)
class Observation:
    """One exposure. `unknown_kind` is empty if the pipeline could classify the object."""

    row: int
    object_row: int
    unknown_kind: str
    snr: float
    counts: float
    rng: np.random.Generator  # the noise is drawn from it next


@dataclass(frozen=True)
class SkyDraws:
    """The settings of the drawing. `priors` are the shares of star, unknown, galaxy and quasar."""

    seed: int
    priors: Sequence[float]
    snr_median: float
    snr_scatter: float

    def observation(self, row: int) -> Observation:
        rng = np.random.default_rng([self.seed, row, OBSERVATION_STREAM])
        repeats, back = rng.random(2)
        kind = pick(unknown.SUBCLASSES, rng.random()) if rng.random() < self.priors[1] else ""
        median, scatter = self.snr_median, self.snr_scatter
        if kind == "faint":
            median, scatter = unknown.FAINT_SNR_MEDIAN, unknown.FAINT_SNR_SCATTER
        snr = float(median * np.exp(scatter * rng.standard_normal()))
        counts = float(COUNTS_MEDIAN * np.exp(COUNTS_SCATTER * rng.standard_normal()))
        object_row = row
        if row and repeats < REPEAT_SHARE:
            object_row = self.observation(row - 1 - int(back * min(row, REPEAT_REACH))).object_row
        return Observation(row, object_row, kind, snr, counts, rng)

    def sky_object(self, object_row: int) -> SkyObject:
        rng = np.random.default_rng([self.seed, object_row, OBJECT_STREAM])
        which, subclass_draw, redshift_draw = rng.random(3)
        label = pick({"star": self.priors[0], "galaxy": self.priors[2], "qso": self.priors[3]}, which)
        if label == "star":
            subclass, redshift = pick(STAR_SHARES, subclass_draw), _star_redshift(redshift_draw)
            return SkyObject(label, subclass, redshift, partial(stars.star, rng, subclass, redshift))
        if label == "galaxy":
            subclass, redshift = pick(GALAXY_SHARES, subclass_draw), 0.01 + 0.49 * redshift_draw**2
            return SkyObject(label, subclass, redshift, partial(galaxies.galaxy, rng, subclass, redshift))
        redshift = 0.1 + 3.9 * redshift_draw
        shows_troughs = redshift > quasars.TROUGHS_FROM_REDSHIFT
        subclass = pick(quasars.SUBCLASSES, subclass_draw) if shows_troughs else "broad_line"
        return SkyObject(label, subclass, redshift, partial(quasars.quasar, rng, subclass, redshift))


def _star_redshift(draw: float) -> float:
    """Radial velocities: logistic with a scale of 30 km/s, cut at 500 km/s."""
    edge = min(max(draw, 1e-9), 1 - 1e-9)
    return float(np.clip(1e-4 * np.log(edge / (1 - edge)), -500 / 299792.458, 500 / 299792.458))


def pick(shares: Mapping[str, float], draw: float) -> str:
    """The name in whose part of [0, 1) the draw falls; parts are as wide as the shares, scaled to sum to 1."""
    total, passed = sum(shares.values()), 0.0
    for name, share in shares.items():
        passed += share
        if draw * total < passed:
            return name
    return [*shares][-1]
