"""How the list words the age of a run and how far it is."""

from pathlib import Path

import pytest

from sweeps.ls.entry import Entry, age

DAY_S = 24 * 3600


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (59.97, "59 s"), (60, "1 min"), (7199, "1 h"), (DAY_S, "1 d"), (9e6, "104 d")]
)
def test_ages_are_rounded_to_one_unit(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("num_done", "num_total", "progress"),
    [(1, None, "1 epoch"), (0, 1, "0 of 1 epoch"), (1, 2, "1 of 2 epochs"), (2, None, "2 epochs")],
)
def test_one_epoch_is_one_epoch(num_done: int, num_total: int | None, progress: str, tmp_path: Path) -> None:
    entry = Entry("a", "run", "stopped", num_done, num_total, ["val/macro_f1"], None, "best epoch", 0.0, tmp_path)
    assert progress in entry.cells()
