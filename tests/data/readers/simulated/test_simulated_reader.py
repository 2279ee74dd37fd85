"""The simulated survey as a reader: a row depends on the settings and on its number alone."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.configs.data import readers
from spectral.configs.simulated import SimulatedConfig
from spectral.data.readers.simulated.grid import WAVE
from spectral.data.readers.simulated.reader import SimulatedReader
from spectral.errors import UserError

CLASSES = ["star", "unknown", "galaxy", "qso"]


def make_reader(num_spectra=300, seed=7, priors=(0.4, 0.2, 0.2, 0.2), snr_median=10.0, snr_scatter=0.8):
    return SimulatedReader(num_spectra, seed, priors, snr_median, snr_scatter)


@pytest.fixture(scope="module")
def reader():
    return make_reader()


@pytest.fixture(scope="module")
def catalog(reader):
    return reader.catalog()


@pytest.fixture(scope="module")
def chunk(reader):
    return reader.read(np.arange(reader.num_spectra))


def test_spectra_have_the_promised_shape_and_are_finite(reader, chunk):
    assert not chunk.problems
    for values in (*chunk.flux, *chunk.ivar):
        assert values.shape == (1, 2600) and values.dtype == np.float32 and np.isfinite(values).all()
    assert all((ivar >= 0).all() and (ivar > 0).mean() > 0.9 for ivar in chunk.ivar)
    np.testing.assert_array_equal(reader.wave_angstrom(), np.linspace(3690.0, 9100.0, 2600))


@given(rows=st.lists(st.integers(0, 299), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_a_row_does_not_depend_on_how_it_is_read(reader, chunk, rows):
    again = reader.read(np.array(rows))
    for place, row in enumerate(rows):
        np.testing.assert_array_equal(again.flux[place], chunk.flux[row])
        np.testing.assert_array_equal(again.ivar[place], chunk.ivar[row])


def test_appending_rows_keeps_the_earlier_ones(catalog, chunk):
    longer = make_reader(num_spectra=500)
    assert longer.catalog().iloc[:300].equals(catalog)
    np.testing.assert_array_equal(longer.read(np.array([299])).flux[0], chunk.flux[299])


def test_a_pickled_reader_is_small_and_reads_the_same(reader, chunk):
    sent = pickle.dumps(reader)
    assert len(sent) < 2000
    np.testing.assert_array_equal(pickle.loads(sent).read(np.array([5])).flux[0], chunk.flux[5])


def test_another_seed_gives_other_spectra_and_labels(catalog, chunk):
    other = make_reader(seed=8)
    assert not np.array_equal(other.read(np.array([0])).flux[0], chunk.flux[0])
    assert not other.catalog()["label"].equals(catalog["label"])


def test_the_fingerprint_follows_each_setting():
    options = [{}, {"num_spectra": 301}, {"seed": 8}, {"priors": (0.7, 0.1, 0.1, 0.1)}, {"snr_median": 11.0},
               {"snr_scatter": 0.7}]  # fmt: skip
    assert len({make_reader(**option).fingerprint() for option in options}) == len(options)
    assert make_reader().fingerprint() == make_reader().fingerprint()
    assert json.loads(json.dumps(make_reader().settings())) == make_reader().settings()


def test_class_shares_are_the_priors():
    priors = (0.70, 0.12, 0.10, 0.08)
    shares = make_reader(num_spectra=10000, priors=priors).catalog()["label"].value_counts(normalize=True)
    for name, prior in zip(CLASSES, priors, strict=True):
        # Four standard errors of a share among 10,000 rows, of which few repeat an object.
        assert abs(shares[name] - prior) < 4.5 * np.sqrt(prior * (1 - prior) / 10000)


@pytest.mark.parametrize("present", range(4))
def test_a_prior_of_one_gives_one_class(present):
    catalog = make_reader(num_spectra=50, priors=tuple(float(k == present) for k in range(4))).catalog()
    assert set(catalog["label"]) == {CLASSES[present]}


def test_some_objects_are_observed_twice():
    catalog = make_reader(num_spectra=5000).catalog()
    assert catalog["id"].is_unique
    repeated = catalog[catalog.duplicated("group", keep=False)]
    assert 0.02 < 1 - catalog["group"].nunique() / len(catalog) < 0.04
    identified = repeated[repeated["label"] != "unknown"].groupby("group")
    assert (identified["label"].nunique() == 1).all() and (identified["redshift"].nunique() == 1).all()
    assert (identified["snr"].nunique() == identified.size()).all()


def test_two_exposures_of_an_object_show_the_same_object_with_other_noise():
    reader = make_reader(num_spectra=3000, priors=(0.0, 0.0, 0.0, 1.0), snr_median=60.0, snr_scatter=0.0)
    groups = reader.catalog().groupby("group").indices
    rows = next(rows for rows in groups.values() if len(rows) > 1)
    first, second = (np.median(flux[0].reshape(130, 20), axis=1) for flux in reader.read(rows[:2]).flux)
    assert np.corrcoef(first, second)[0, 1] > 0.8
    assert not np.array_equal(first, second)


def test_the_catalog_gives_the_signal_to_noise_of_the_flux(catalog, chunk):
    identified = catalog.index[catalog["label"] != "unknown"]
    measured = np.array([np.median(chunk.flux[row] * np.sqrt(chunk.ivar[row])) for row in identified])
    # Noise, gaps and cosmic rays move the median of 2,600 pixels by less than this.
    np.testing.assert_allclose(measured, catalog["snr"][identified], rtol=0.08, atol=0.15)


def test_the_noise_has_the_given_inverse_variance(catalog, chunk):
    calm = (WAVE > 4300) & (WAVE < 5500)  # no sky line, no junction
    for row in catalog.index[catalog["subclass"] == "faint"][:10]:
        change = np.diff(chunk.flux[row][0, calm]) * np.sqrt(chunk.ivar[row][0, calm])[1:] / np.sqrt(2)
        assert 0.85 < 1.4826 * np.median(np.abs(change)) < 1.15


def test_unknown_rows_name_their_failure_and_have_no_redshift(catalog):
    unknown = catalog[catalog["label"] == "unknown"]
    assert unknown["redshift"].isna().all()
    assert set(unknown["subclass"]) == {"faint", "arm_lost", "sky_residuals", "cosmic_rays", "constant"}
    assert catalog["redshift"].notna().sum() == len(catalog) - len(unknown)


def test_a_lost_arm_has_no_flux(catalog, chunk):
    for row in catalog.index[(catalog["subclass"] == "arm_lost") & (catalog["snr"] > 5)]:
        flux, good = chunk.flux[row][0], chunk.ivar[row][0] > 0
        halves = [np.median(flux[good & side]) for side in (WAVE < 5500, WAVE > 6000)]
        assert min(halves) < 0.3 * max(halves)


def test_flux_is_in_counts_like_lamosts(chunk):
    levels = np.array([np.median(np.abs(flux)) for flux in chunk.flux])
    assert 150 < np.median(levels) < 600 and np.percentile(levels, 95) > 4 * np.median(levels)


def test_the_config_builds_the_reader():
    config = readers.typed({"name": "simulated", "num_spectra": 3})
    assert config.class_names == CLASSES
    reader = readers.build(config)
    assert reader.settings() == {**SimulatedReader(
        3, config.seed, config.priors, config.snr_median, config.snr_scatter).settings()}  # fmt: skip
    assert len(reader.catalog()) == 3


@pytest.mark.parametrize("priors", [[0.5, 0.5, 0.1, 0.0], [0.5, 0.5], [1.5, -0.5, 0.0, 0.0]])
def test_priors_that_are_not_shares_are_reported_in_one_sentence(priors):
    with pytest.raises(UserError, match=r"^data\.priors=\[.*\.$"):
        readers.typed({"name": "simulated", "priors": priors})


@pytest.mark.slow
def test_the_default_survey_has_enough_of_the_rarest_class():
    config = SimulatedConfig()
    catalog = readers.build(config).catalog()
    assert catalog["label"].value_counts().min() >= 600
