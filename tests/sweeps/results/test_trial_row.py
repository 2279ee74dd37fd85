"""How the time of a trial is worded."""

import pytest

from sweeps.results.trial_row import duration


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (-1.0, "0.0 s"),
        (59.9, "59.9 s"),
        (59.97, "1 min 00 s"),
        (100, "1 min 40 s"),
        (119.7, "2 min 00 s"),
        (3599.7, "1 h 00 min"),
        (7260, "2 h 01 min"),
        (50 * 3600, "2 days 2 h"),
    ],
)
def test_a_time_is_rounded_before_it_is_divided_into_units(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown
