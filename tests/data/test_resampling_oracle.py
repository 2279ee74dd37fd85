"""Resampling next to specutils' FluxConservingResampler, an implementation of the same equations by others."""

import numpy as np
import pytest

from spectral.data.resampling import Resampler

# pip install '.[oracles]'
specutils = pytest.importorskip("specutils")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # its dependencies warn of their own matters

LOG = 10 ** (3.58 + 1e-4 * np.arange(3800))
WAVES = {"log": LOG, "linear": np.arange(3800.0, 9000.0, 1.3), "uneven": np.union1d(LOG[::2], LOG[1::3])}
GRIDS = {
    "finer": np.arange(4000.0, 8800.0, 0.7),
    "coarser": 10 ** np.arange(3.61, 3.94, 3e-4),
    "of its own": LOG[300:3000],
    "beyond both ends": np.arange(3000.0, 10000.0, 5.0),
}


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("wave", WAVES)
def test_flux_and_variance_are_those_of_specutils(wave: str, grid: str) -> None:
    import astropy.units as u
    from astropy.nddata import InverseVariance
    from specutils.manipulation import FluxConservingResampler

    rng = np.random.default_rng(0)
    own, target = WAVES[wave], GRIDS[grid]
    flux, ivar = rng.normal(10, 3, len(own)), rng.uniform(0.5, 2, len(own))
    spectrum = specutils.Spectrum(
        flux=flux * u.Jy, spectral_axis=own * u.AA, uncertainty=InverseVariance(ivar / u.Jy**2)
    )
    theirs = FluxConservingResampler()(spectrum, target * u.AA)
    ours = Resampler(target)(own, flux[None], ivar[None])
    there = ~ours.mask
    assert there.sum() > 500
    inner = np.flatnonzero(there)[1:-1]  # they guess the outer edges of the grid's end pixels otherwise
    np.testing.assert_allclose(ours.flux[0, inner], theirs.flux.value[inner], rtol=2e-6)
    assert ours.ivar is not None
    np.testing.assert_allclose(ours.ivar[0, inner], theirs.uncertainty.array[inner], rtol=2e-6)
    assert (np.isfinite(theirs.flux.value) & ~there).sum() < 5  # at the very ends they extrapolate
