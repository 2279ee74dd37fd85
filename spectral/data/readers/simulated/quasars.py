"""Quasars: a power law, broad lines, iron and Balmer-continuum humps, and the absorption by hydrogen on the way.

L observed pixels.
"""

from collections.abc import Mapping

import numpy as np

from spectral.data.readers.simulated import lines
from spectral.data.readers.simulated.dust import dimming
from spectral.data.readers.simulated.galaxies import populations
from spectral.data.readers.simulated.grid import WAVE32, Array, gaussians, redshifted, rise

LYMAN_ALPHA, LYMAN_LIMIT = 1215.67, 911.75
SUBCLASSES: Mapping[str, float] = {"broad_line": 0.88, "bal": 0.12}
BROAD = np.array(lines.BROAD_LINES, dtype=np.float32)
NARROW = np.array(lines.NARROW_LINES, dtype=np.float32)
FE = np.array(lines.FE_HUMPS, dtype=np.float32)
# Resonance lines that show troughs in broad-absorption-line quasars, and where C IV's trough enters the observed grid.
TROUGHS = np.array([1215.67, 1240.14, 1396.76, 1549.06], dtype=np.float32)
TROUGHS_FROM_REDSHIFT = 1.6


def quasar(rng: np.random.Generator, subclass: str, redshift: float) -> Array:
    """A quasar's flux on the observed grid, [L], in arbitrary units."""
    rest = WAVE32 / np.float32(1 + redshift)
    continuum = _power_law(rng, rest) * (1 + _humps(rng, rest))
    flux = continuum * (1 + _lines(rng, rest)) * dimming(min(float(rng.exponential(0.1)), 0.8))
    host_light = float(rng.beta(1.0, 3.0))
    if redshift < 0.5:
        host = redshifted(populations()[5, 0], redshift)
        flux = flux / flux.mean() * (1 - host_light) + host / host.mean() * host_light
    if subclass == "bal":
        flux = flux * _troughs(rng, rest)
    return flux * forest(rng, rest, redshift)


def _power_law(rng: np.random.Generator, rest: Array) -> Array:
    """f ~ wavelength^alpha: -1.56 with scatter 0.5, flatter (0.45) above 5000 Angstrom (Vanden Berk et al. 2001)."""
    blue = rng.normal(-1.56, 0.5)
    red = blue + rng.normal(2.0, 0.3)
    ratio = rest / np.float32(5000.0)
    law: Array = ratio ** np.where(ratio < 1, np.float32(blue), np.float32(red))
    return law


def _humps(rng: np.random.Generator, rest: Array) -> Array:
    """Fe II blends and the Balmer continuum (Grandi 1982, ApJ 255, 25), over the continuum, [L]."""
    iron = float(rng.lognormal(0.0, 0.5)) * gaussians(rest, FE[:, 0], FE[:, 2], FE[:, 1])
    edge = rise((np.float32(lines.BALMER_LIMIT) - rest) / np.float32(40.0))
    hump = np.float32(rng.uniform(0.05, 0.25)) * edge * (rest / np.float32(lines.BALMER_LIMIT)) ** 3
    return np.asarray(iron + hump)


def _lines(rng: np.random.Generator, rest: Array) -> Array:
    """Broad and narrow emission lines over the continuum, [L]; strengths, widths and shifts scatter."""
    strength = rng.lognormal(-0.2, 0.5) * rng.lognormal(0.0, 0.2, len(BROAD))
    sigma = BROAD[:, 2] * np.float32(np.clip(rng.lognormal(0.0, 0.3), 0.4, 2.0))
    centre = BROAD[:, 0] * (1 + rng.normal(0.0, 6e-4, len(BROAD)).astype(np.float32))
    height = BROAD[:, 1] * strength.astype(np.float32) / (sigma * np.float32(2.5066))
    narrow_height = NARROW[:, 1] * np.float32(rng.lognormal(-0.2, 0.7)) / (NARROW[:, 2] * np.float32(2.5066))
    broad = gaussians(rest, centre, sigma, height)
    return broad + gaussians(rest, NARROW[:, 0], NARROW[:, 2], narrow_height)


def _troughs(rng: np.random.Generator, rest: Array) -> Array:
    """What a fast wind lets through, [L]: troughs 3000 to 20000 km/s to the violet of resonance lines."""
    velocity, width = rng.uniform(0.012, 0.05), rng.uniform(0.005, 0.015)
    depth = np.float32(rng.uniform(0.5, 2.5))
    centres = TROUGHS * np.float32(1 - velocity)
    through: Array = np.exp(-gaussians(rest, centres, centres * np.float32(width), np.full(4, depth, dtype=np.float32)))
    return through


def forest(rng: np.random.Generator, rest: Array, redshift: float) -> Array:
    """The fraction of light that hydrogen between the quasar and us lets through, [L].

    Mean optical depth 0.0018 (1 + z)^3.92 for Lyman alpha (Faucher-Giguere et al. 2008, ApJ 681, 831), scattered
    lognormally from pixel to pixel as in the fluctuating Gunn-Peterson approximation; below the Lyman limit, a further
    depth that grows with the distance to it.
    """
    if rest[0] > LYMAN_ALPHA:
        return np.ones_like(rest)
    noise = rng.standard_normal(len(rest) + 2, dtype=np.float32)
    smooth = (noise[:-2] + 2 * noise[1:-1] + noise[2:]) / np.float32(np.sqrt(6.0))
    clumps = np.exp(np.float32(1.2) * smooth - np.float32(0.72))
    absorber = rest * np.float32((1 + redshift) / LYMAN_ALPHA)  # 1 + z of the hydrogen that absorbs at this pixel
    depth = np.float32(0.0018) * absorber ** np.float32(3.92) * clumps * (rest < LYMAN_ALPHA)
    limit = np.maximum(np.float32(LYMAN_LIMIT) / rest - 1, 0) * np.float32(rng.uniform(5.0, 30.0))
    through: Array = np.exp(-depth - limit)
    return through
