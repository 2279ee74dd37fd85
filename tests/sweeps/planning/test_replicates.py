"""Seeds and folds of a command: replicates that a configuration is judged by, never configurations."""

from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig
from small_runs import REPOSITORY, composed

from spectral.errors import UserError
from sweeps.planning.replicates import take_replicates


def taken(*overrides: str) -> tuple[list[str], DictConfig, str]:
    """The overrides that are left, the sweep's config, and what the user reads."""
    config = composed(
        [override for override in overrides if "{" in override or not {",", "r"} & set(override.partition("=")[2])]
    )
    with initialize_config_dir(version_base="1.3", config_dir=str(REPOSITORY / "conf")):
        loader: Any = GlobalHydra.instance().config_loader()
        left, line = take_replicates(config, overrides, loader)
    return left, config.sweep, line


@pytest.mark.parametrize(
    ("overrides", "seeds", "key"),
    [
        (["split=kfold"], [0, 1, 2, 3, 4], "split.fold"),
        (["split=kfold", "split.num_folds=3", "split.num_repeats=2"], [0, 1, 2, 3, 4, 5], "split.fold"),
        (["split=kfold", "split.fold=0,2"], [0, 2], "split.fold"),
        (["split=kfold", "split.fold=range(0,3)"], [0, 1, 2], "split.fold"),
        (["split=kfold", "split.fold=shuffle(range(0,9))"], [0, 1, 2, 3, 4, 5, 6, 7, 8], "split.fold"),
        (["seed=1,5"], [1, 5], "seed"),
        (["seed=5,1"], [5, 1], "seed"),
        (["seed=shuffle(9,2,8,3,7,4,6,5,1,0)"], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "seed"),
        (["+sweep.space={seed:[2,7]}"], [2, 7], "seed"),
        (["split=kfold", "split.fold=1", "seed=1,5"], [1, 5], "seed"),
    ],
)
def test_folds_and_seeds_become_replicates(overrides: list[str], seeds: list[int], key: str) -> None:
    left, sweep, line = taken(*overrides, "model.width=4,8")
    assert (list(sweep.seeds), sweep.seed_key) == (seeds, key)
    assert not [override for override in left if override.startswith(key)]
    assert left[-1] == "model.width=4,8"
    assert f"run with {key}={','.join(map(str, seeds))} and judged by the mean" in line


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.width=4,8"],
        ["split=kfold", "split.fold=1"],
        ["seed=3"],
        ["seed=0,1", "seed=3"],
        ["+sweep.space={seed:[2,7]}", "seed=3"],
        ["split=kfold", "+sweep.space={split.fold:[0,2]}", "split.fold=1"],
        ["split=kfold,stratified"],
    ],
)
def test_other_commands_stay_as_they_are(overrides: list[str]) -> None:
    left, sweep, line = taken(*overrides)
    assert left == overrides and line == "" and (sweep.seeds, sweep.seed_key) == (1, "seed")
    assert not sweep.get("space")  # what the command gives is no axis, nor is anything else


@pytest.mark.parametrize("overrides", [["seed=0,1"], ["sweep.seeds=3"]])
def test_seeds_and_folds_at_once_are_refused(overrides: list[str]) -> None:
    with pytest.raises(UserError, match=r"seed and split\.fold are both replicates .* split\.num_repeats divides"):
        taken("split=kfold", *overrides)
