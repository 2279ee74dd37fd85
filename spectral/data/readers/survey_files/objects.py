"""Spectra of one object, known by their position: repeat visits must not stand on both sides of a split."""

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

BLOCK = 2**14  # names that are Python objects at a time


def groups_by_position(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], match_arcsec: float) -> pd.Series:
    """The object of each spectrum: those within some distance of one another are one, also by way of a third.

    Args:
        ra_deg, dec_deg: positions [N]; a spectrum without one is an object of its own.

    Returns:
        Text [N]: the position of the object's first spectrum, or missing where there is no position.
    """
    known = np.flatnonzero(np.isfinite(ra_deg) & np.isfinite(dec_deg) & (np.abs(dec_deg) <= 90))
    if not len(known):
        return pd.Series(None, index=range(len(ra_deg)), dtype="str")
    positions = np.stack([ra_deg[known] % 360, dec_deg[known]])
    # Each position once: a catalog with one for all, such as (0, 0) for unknown, would have as many pairs as squares.
    (ra, dec), first_row, place_of = np.unique(positions, axis=1, return_index=True, return_inverse=True)
    sphere = SkyCoord(ra * u.deg, dec * u.deg).cartesian.xyz.value.T
    chord = 2 * np.sin(np.radians(match_arcsec / 3600) / 2)
    # astropy's search_around_sky makes a Python list for each position, which takes most of the memory of a catalog.
    first, second = cKDTree(sphere).query_pairs(chord, output_type="ndarray").T
    pairs = coo_array((np.ones(len(first), bool), (first, second)), shape=(len(ra),) * 2)
    num_objects, object_of = connected_components(pairs, directed=False)
    leader = np.full(num_objects, len(known))
    np.minimum.at(leader, object_of, first_row)
    blocks = [positions[:, leader[start : start + BLOCK]].T for start in range(0, num_objects, BLOCK)]
    names = pa.chunked_array((_names(block) for block in blocks), pa.large_string())
    codes = np.full(len(ra_deg), -1)
    codes[known] = object_of[place_of.reshape(-1)]
    return pd.Series(pd.array(names.take(pa.array(codes, mask=codes < 0)), dtype="str"))


def _names(positions: NDArray[np.float64]) -> pa.Array:
    return pa.array([f"{ra:.5f}{dec:+.5f}" for ra, dec in positions], pa.large_string())
