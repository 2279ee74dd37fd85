"""Whole numbers of spectra from shares, and what cannot be divided."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.data.splits.partition import Partition, RareStratumError, quotas


@settings(deadline=None)
@given(num=st.integers(0, 10_000), weights=st.lists(st.integers(1, 100), min_size=1, max_size=12))
def test_quotas_sum_to_the_whole_and_are_within_rounding(num: int, weights: list[int]) -> None:
    shares = np.array(weights) / sum(weights)
    free, raised = quotas(num, shares, at_least=0), quotas(num, shares)
    assert free.sum() == raised.sum() == num and free.min() >= 0
    assert (np.abs(free - num * shares) < 1).all()
    assert raised.min() >= (1 if num >= len(weights) else 0)


@pytest.mark.parametrize("drawn", [False, True])
def test_single_spectra_that_cannot_be_divided_are_refused_at_once(drawn: bool) -> None:
    divided = np.array([0, 0, 0, -1, -1, -1, -1, -1, -1])  # the first stratum, all in one part
    division = Partition(np.arange(9), np.array([0] * 3 + [1] * 6), np.full(3, 1 / 3))
    with pytest.raises(RareStratumError, match="stratum 0 has 3 units"):
        division.complete(divided, np.random.default_rng(0), drawn=drawn)
