"""How another search under a study's name is told from the one that it began with."""

import json

import pytest

from sweeps.config import SweepConfig
from sweeps.space import Space
from sweeps.study.identity import changed, identity_of

BEGUN = ["model.width=8,16", "loss=focal", "seed=3", "optimizer.lr=0.1"]


def told(*arguments: str) -> str | None:
    old, new = (identity_of(SweepConfig(), Space.read({}, a), ["score"], None) for a in (BEGUN, arguments))
    return changed(json.loads(json.dumps(old)), new)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([*BEGUN], None),
        ([*reversed(BEGUN)], None),
        (["model.width=8,16", "loss=focal", "seed=3"], "optimizer.lr=0.1 is gone"),
        ([*BEGUN, "data=arrays"], "data=arrays is new"),
        (["model.width=8,16", "loss=soft_f1", "optimizer.lr=0.1"], "loss was focal, now soft_f1; seed=3 is gone"),
        (["model.width=8,16", "loss=focal", "seed=3,4", "optimizer.lr=0.1"], "seed was 3, now it is searched"),
        (["model.width=8", "loss=focal", "seed=3", "optimizer.lr=0.1"], "model.width was searched, now it is 8"),
    ],
)
def test_only_what_differs_is_told(arguments: list[str], expected: str | None) -> None:
    assert told(*arguments) == expected
