"""The simulated spectra against textbook physics."""

import numpy as np
import pytest

from spectral.data.readers.simulated import galaxies, lines, quasars, stars, unknown
from spectral.data.readers.simulated.atoms import absorbing_fraction
from spectral.data.readers.simulated.draws import GALAXY_SHARES, STAR_SHARES
from spectral.data.readers.simulated.dust import dimming, extinction_curve
from spectral.data.readers.simulated.grid import REST, WAVE, WAVE32, gaussians, redshifted
from spectral.data.readers.simulated.instrument import expose, noise_shape
from spectral.data.readers.simulated.species import SPECIES, TEMPERATURES


def vacuum(air):
    """Morton (1991, ApJS 77, 119), equation 3."""
    inverse = (1e4 / np.asarray(air)) ** 2
    return air * (1 + 6.4328e-5 + 2.94981e-2 / (146 - inverse) + 2.5540e-4 / (41 - inverse))


# Wavelengths in air as NIST's Atomic Spectra Database lists them.
AIR = {
    "CA_II": [3933.66, 3968.47, 8498.02, 8542.09, 8662.14],
    "NA_I": [5889.95, 5895.92, 8183.26, 8194.82],
    "MG_I": [3829.36, 3832.30, 3838.29, 5167.32, 5172.68, 5183.60],
    "HE_II": [4199.83, 4541.59, 4685.70, 5411.52],
}


@pytest.mark.parametrize("name", AIR)
def test_lines_are_at_their_vacuum_wavelengths(name):
    np.testing.assert_allclose(list(getattr(lines, name)), vacuum(np.array(AIR[name])), atol=0.05)


def test_balmer_lines_follow_rydberg():
    air = {3: 6562.80, 4: 4861.35, 5: 4340.47, 6: 4101.73}
    for level, wave in air.items():
        assert lines.balmer(level) == pytest.approx(vacuum(wave), abs=0.15)
    assert abs(lines.BALMER_LIMIT - 3647.05) < 0.1


@pytest.mark.parametrize(
    ("species", "low", "high"),
    [("H core", 9000, 10500), ("Ca II", 4500, 6500), ("He I", 15000, 25000), ("He II", 30000, 50000)],
)
def test_each_species_peaks_at_its_spectral_type(species, low, high):
    strength = SPECIES[species].strength(TEMPERATURES)
    assert low < TEMPERATURES[strength.argmax()] < high


def test_saha_gives_half_ionised_hydrogen_near_9600_k():
    neutral = absorbing_fraction(np.linspace(8000, 12000, 4001), [13.598], 0, 0.0)
    # Carroll & Ostlie's example 8.1.4 finds 9,600 K with partition functions 2 and 1; here they count as equal.
    assert np.linspace(8000, 12000, 4001)[np.abs(neutral - 0.5).argmin()] == pytest.approx(9600, rel=0.05)


@pytest.mark.parametrize("temperature", [3000.0, 5800.0, 30000.0])
def test_planck_agrees_with_double_precision(temperature):
    h, c, k = 6.62607015e-34, 2.99792458e8, 1.380649e-23
    metres = WAVE * 1e-10
    expected = metres**-5 / np.expm1(h * c / (metres * k * temperature))
    got = stars.planck(WAVE32, temperature)
    np.testing.assert_allclose(got / got[1000], expected / expected[1000], rtol=2e-5)


def depth(flux, wave, reach=60.0):
    """Depth of a line below the median around it, at the wavelength of its centre; 1 is black."""
    near = np.abs(WAVE - wave) < reach
    return 1 - flux[np.abs(WAVE - wave).argmin()] / np.percentile(flux[near], 80)


def seen_at(temperature, **options):
    return redshifted(stars.photosphere(temperature, **options), 0.0)


def test_stellar_lines_come_and_go_with_temperature():
    hot, sun, cool = seen_at(9500.0), seen_at(5800.0), seen_at(3300.0)
    h_beta, sodium, ca_k = lines.balmer(4), 5891.58, 3934.77
    assert depth(hot, h_beta) > 0.4 > depth(sun, h_beta) > 0.05
    assert depth(sun, ca_k) > 0.4 > depth(hot, ca_k)
    assert depth(cool, sodium) > depth(sun, sodium) > depth(hot, sodium)
    band, outside = (WAVE > 7060) & (WAVE < 7160), (WAVE > 6980) & (WAVE < 7040)
    assert cool[band].mean() < 0.6 * cool[outside].mean() and sun[band].mean() > 0.9 * sun[outside].mean()


def test_the_balmer_jump_and_emission():
    hot = stars.photosphere(9500.0)
    assert np.interp(3600.0, REST, hot) < 0.6 * np.interp(4050.0, REST, hot)
    active = seen_at(3300.0, emission=1.5)
    assert depth(active, lines.balmer(3)) < -1


def test_hotter_stars_are_bluer():
    colours = [np.log(flux[300] / flux[2300]) for flux in map(seen_at, [3200.0, 4300.0, 5800.0, 9500.0, 30000.0])]
    assert colours == sorted(colours)


def test_a_redshift_moves_a_line():
    flux = redshifted(stars.photosphere(9500.0), 0.01)
    near = np.abs(WAVE - 4910) < 60
    assert WAVE[near][flux[near].argmin()] == pytest.approx(lines.balmer(4) * 1.01, abs=2.1)


def test_old_galaxies_have_the_break_and_young_ones_are_blue():
    old, young = galaxies.populations()[7, 0], galaxies.populations()[0, 0]
    violet, blue = (REST > 3850) & (REST < 3950), (REST > 4000) & (REST < 4100)  # D4000 of Balogh et al. (1999)
    frequency = REST**2
    ratio = (old * frequency)[blue].mean() / (old * frequency)[violet].mean()
    assert 1.4 < ratio < 2.6
    assert (young * frequency)[blue].mean() / (young * frequency)[violet].mean() < 1.2
    assert np.interp(3700, REST, young) / np.interp(5500, REST, young) > 1.5


@pytest.mark.parametrize("redshift", [0.05, 0.3])
def test_galaxies_show_their_lines_at_their_redshift(redshift):
    flux = galaxies.galaxy(np.random.default_rng(1), "starburst", redshift)
    for wave in (5008.24, lines.balmer(3)):
        near = np.abs(WAVE - wave * (1 + redshift)) < 12 * (1 + redshift)
        assert WAVE[near][flux[near].argmax()] == pytest.approx(wave * (1 + redshift), abs=3.0)


def test_quasars_show_broad_lines_at_their_redshift():
    rng = np.random.default_rng(2)
    for redshift, wave in ((0.2, lines.balmer(3)), (1.2, 2798.75), (2.3, 1549.06), (3.2, 1215.67)):
        mean = sum(quasars.quasar(rng, "broad_line", redshift) for _ in range(20))
        peak = np.abs(WAVE - wave * (1 + redshift)).argmin()
        assert mean[peak] > 1.1 * np.interp(wave * (1 + redshift) * 1.1, WAVE, mean)


def test_the_forest_absorbs_on_the_blue_side_alone_and_more_at_high_redshift():
    rng = np.random.default_rng(3)
    for redshift, low, high in ((2.5, 0.70, 0.90), (3.8, 0.35, 0.65)):
        rest = WAVE32 / np.float32(1 + redshift)
        through = np.mean([quasars.forest(rng, rest, redshift) for _ in range(20)], axis=0)
        assert (through[rest > 1216] == 1).all()
        # About 0.80 at z = 2.4 and 0.45 at 3.7 (Faucher-Giguere et al. 2008, figure 2).
        assert low < through[(rest > 1150) & (rest < 1210)].mean() < high
    assert (quasars.forest(rng, WAVE32 / np.float32(2), 1.0) == 1).all()


def test_dust_follows_cardelli():
    # A(V) / E(B-V) is R_V = 3.1 at 1.82 per micron; A(B) / A(V) = 1.337 in their table 3.
    assert np.interp(1e4 / 1.82, WAVE, extinction_curve()) == pytest.approx(3.1, abs=0.01)
    assert np.interp(4400.0, WAVE, extinction_curve()) / 3.1 == pytest.approx(1.337, abs=0.02)
    assert (np.diff(dimming(0.3)) > 0).all()


def test_gaussians_keep_their_area():
    centres, sigmas = np.array([5000.0, 7000.0], dtype=np.float32), np.array([20.0, 40.0], dtype=np.float32)
    total = gaussians(WAVE32, centres, sigmas, np.array([1.0, 2.0], dtype=np.float32))
    assert np.trapezoid(total, WAVE) == pytest.approx(np.sqrt(2 * np.pi) * (20 + 80), rel=1e-4)


def test_an_exposure_has_the_asked_level_and_signal_to_noise():
    exposure = expose(np.random.default_rng(4), seen_at(5800.0), snr=7.0, counts=250.0)
    assert np.median(exposure.signal) == pytest.approx(250, rel=1e-5)
    assert np.median(exposure.signal / exposure.sigma) == pytest.approx(7, rel=1e-5)
    assert noise_shape()[0] > 5 * noise_shape()[500]


@pytest.mark.parametrize("shares", [STAR_SHARES, GALAXY_SHARES, quasars.SUBCLASSES, unknown.SUBCLASSES])
def test_shares_sum_to_one(shares):
    assert sum(shares.values()) == pytest.approx(1)
