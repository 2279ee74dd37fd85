"""`sweep.space={}` and `sweep.constraints={}` on the command line."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from sweeps.planning.arguments import empty_mappings

NAMED = {"space": {"a.b": [1, 2]}, "constraints": {"size": {"at_most": 5}}, "enqueue": [{"a.b": 1}]}
KEPT, NONE = NAMED["space"], {}


@pytest.mark.parametrize(
    ("arguments", "space"),
    [
        (["x=1,2"], KEPT),
        (["sweep.space={}"], NONE),
        (["sweep.space={}", "x=1,2", "sweep.num_trials=3"], NONE),
        (["sweep.space={c: [3]}", "sweep.space={}"], NONE),
        (["sweep.space={}", "+sweep.space={c: [3, 4]}"], {"c": [3, 4]}),
        (["sweep.space={}", "+sweep.space.c=[3,4]"], {"c": [3, 4]}),
        (["sweep.space={}", "+sweep.space.c=[3]", "sweep.space={}"], NONE),
    ],
)
def test_an_empty_space_keeps_the_axes_that_follow_it(arguments: list[str], space: dict[str, Any]) -> None:
    config = OmegaConf.create({"sweep": NAMED, "x": 0})
    OmegaConf.set_struct(config, True)
    empty_mappings(config, "sweep", arguments)
    assert config.sweep == {**NAMED, "space": space}


def test_empty_constraints_remove_the_earlier_ones() -> None:
    config = OmegaConf.create({"sweep": NAMED})
    empty_mappings(config, "sweep", ["sweep.constraints={}", "+sweep.constraints.depth.at_most=3"])
    assert config.sweep == {**NAMED, "constraints": {"depth": {"at_most": 3}}}
