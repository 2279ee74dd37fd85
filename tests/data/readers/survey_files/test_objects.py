"""Spectra of one object by their positions."""

import numpy as np
import pandas as pd

from spectral.data.readers.survey_files.objects import groups_by_position

ARCSEC = 1 / 3600


def groups(*positions: tuple[float, float], within: float = 2.0) -> list[object]:
    ra, dec = np.array(positions, float).T
    return [None if pd.isna(group) else group for group in groups_by_position(ra, dec, within)]


def test_spectra_within_the_distance_are_one_object() -> None:
    first, near, far = groups((150, 2), (150, 2 + 1.9 * ARCSEC), (150, 2 + 4.1 * ARCSEC))
    assert first == near == "150.00000+2.00000" and far != first


def test_distances_are_on_the_sky_also_near_the_pole_and_across_zero() -> None:
    assert len(set(groups((10, 89.9999), (190, 89.9999), within=1.0))) == 1
    assert len(set(groups((359.9999, 0), (0.0001, 0), (-0.0001, 0)))) == 1
    assert len(set(groups((10, 60), (10 + 3 * ARCSEC, 60)))) == 1


def test_a_chain_is_one_object() -> None:
    assert len(set(groups((0, 0), (0, 1.5 * ARCSEC), (0, 3 * ARCSEC)))) == 1


def test_a_spectrum_without_a_position_is_its_own_object() -> None:
    assert groups((150, 2), (np.nan, 2), (150, -9999), (150, 2)) == [
        "150.00000+2.00000",
        None,
        None,
        "150.00000+2.00000",
    ]


def test_one_position_for_all_is_no_square_of_pairs() -> None:
    num = 200_000  # whose pairs would be 4e10
    ra = np.zeros(num)
    ra[-1] = 5.0
    found = groups_by_position(ra, np.zeros(num), 2.0)
    assert found.nunique() == 2 and found.iloc[-1] == "5.00000+0.00000"
