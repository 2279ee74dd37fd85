"""How the list words the age of a run."""

import pytest

from sweeps.ls.entry import age

DAY_S = 24 * 3600


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (7199, "1 h"), (DAY_S, "1 d"), (9e6, "104 d")]
)
def test_ages_are_rounded_to_one_unit(seconds: float, shown: str) -> None:
    assert age(seconds) == shown
