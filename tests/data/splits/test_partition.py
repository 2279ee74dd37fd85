"""Whole numbers of spectra from shares."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.data.splits.partition import quotas


@settings(deadline=None)
@given(num=st.integers(0, 10_000), weights=st.lists(st.integers(1, 100), min_size=1, max_size=12))
def test_quotas_sum_to_the_whole_and_are_within_rounding(num: int, weights: list[int]) -> None:
    shares = np.array(weights) / sum(weights)
    free, raised = quotas(num, shares, at_least=0), quotas(num, shares)
    assert free.sum() == raised.sum() == num and free.min() >= 0
    assert (np.abs(free - num * shares) < 1).all()
    assert raised.min() >= (1 if num >= len(weights) else 0)
