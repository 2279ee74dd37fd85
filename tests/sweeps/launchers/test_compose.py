"""The fast composition equals Hydra's own, on the config of the product and on Hydra's test configs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf
from slow_cases import slow_after

import spectral.configs.root  # noqa: F401  (typed configs)
import sweeps.config  # noqa: F401  (typed configs)
from sweeps.launchers.compose import Composer

CONF = Path(__file__).parents[3] / "conf"
Loaded = tuple[Any, Any]


def _load(name: str, overrides: list[str]) -> Loaded:
    setup_globals()
    loader = GlobalHydra.instance().config_loader()
    return loader, loader.load_configuration(name, overrides, RunMode.MULTIRUN)


@pytest.fixture(scope="module")
def product() -> Loaded:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return _load("config", ["hydra.sweep.dir=somewhere", "hydra.sweep.subdir=job_${hydra.job.num}", "seed=3"])


@pytest.fixture
def hydras(hydra_restore_singletons: None) -> Iterator[Loaded]:
    with initialize_config_module("hydra.test_utils.configs", version_base="1.3"):
        yield _load("compose", [])


def _same(loaded: Loaded, overrides: list[str]) -> None:
    loader, master = loaded
    expected = loader.load_sweep_config(master, overrides)
    composer = Composer(loader, master)
    for config in (composer.compose(overrides), composer.compose(overrides)):
        assert OmegaConf.to_container(config) == OmegaConf.to_container(expected)
        assert config.hydra.job.override_dirname == expected.hydra.job.override_dirname
        assert OmegaConf.is_struct(config)
        assert [OmegaConf.get_type(config, key) for key in config] == [
            OmegaConf.get_type(expected, k) for k in expected
        ]
    whole, own = OmegaConf.to_container(expected), composer.compose_own(overrides)
    assert isinstance(whole, dict)
    whole.pop("hydra")
    assert OmegaConf.to_container(own) == whole
    assert OmegaConf.is_struct(own)


@pytest.mark.parametrize(
    "overrides",
    slow_after(
        4,
        [
            ["model.width=8", "model=reference", "loss=focal", "loss.gamma=1"],
            ["model=reference", "model.dilations=[1,3,9]"],
            ["experiment=debug", "objective=[val/macro_f1,val/log_loss]"],
            ["++hydra.job.env_set.ABOUT='{\"a\": [1]}'", "hydra.job.name=other", "hydra.sweep.subdir=5/seed-1"],
            [],
            ["model.width=8", "optimizer.lr=0.003"],
            ["model=reference", "model.width=8"],
            ["hydra.job.config.override_dirname.exclude_keys=[seed]", "seed=1", "model.width=8"],
            ["seed=1", "seed=2"],
        ],
    ),
)
def test_jobs_of_the_product_have_the_config_that_hydra_composes(product: Loaded, overrides: list[str]) -> None:
    _same(product, overrides)


@pytest.mark.parametrize(
    "overrides", [["+a=1"], ["group1=file1"], ["foo=5", "group1=file2", "bar=3"], ["~bar"], ["+new.deep=1"]]
)
def test_keys_may_be_added_and_deleted(hydras: Loaded, overrides: list[str]) -> None:
    _same(hydras, overrides)


@pytest.mark.parametrize(
    "overrides",
    slow_after(
        4,
        [
            ["no.such=1"],
            ["model=no_such"],
            ["model.width=wide"],
            ["model.width=["],
            ["model.width=1,2"],
            ["no@pkg=1"],
            ["+seed=1"],
        ],
    ),
)
def test_overrides_that_hydra_refuses_are_refused_with_the_same_error(product: Loaded, overrides: list[str]) -> None:
    loader, master = product
    with pytest.raises(HydraException) as expected:
        loader.load_sweep_config(master, overrides)
    composer = Composer(loader, master)
    for compose in (composer.compose, composer.compose_own):
        with pytest.raises(HydraException) as caught:
            compose(overrides)
        assert type(caught.value) is type(expected.value)
        assert str(caught.value) == str(expected.value)
        assert str(caught.value.__cause__) == str(expected.value.__cause__)


def test_each_job_has_its_own_copy_of_the_config(product: Loaded) -> None:
    composer = Composer(*product)
    first = composer.compose(["model.width=8"])
    first.model.width = 99
    first.hydra.overrides.task.append("left=behind")
    assert composer.compose(["model.width=8"]).model.width == 8
    assert composer.compose([]).hydra.overrides.task == []


def test_extra_search_paths_are_used(tmp_path: Path, hydra_restore_singletons: None) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text("defaults:\n  - compact@_here_\n  - _self_\nwidth: 5\n")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        loaded = _load("config", [f"hydra.searchpath=[file://{tmp_path}]"])
        _same(loaded, ["model=mine"])
        assert Composer(*loaded).compose(["model=mine"]).model.width == 5


def test_a_file_changed_during_a_sweep_changes_no_job(tmp_path: Path, hydra_restore_singletons: None) -> None:
    for name, content in {"config": "defaults: [part: one]\n", "part/one": "x: 1\n", "part/two": "x: 2\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(content)
    with initialize_config_dir(str(tmp_path), version_base="1.3"):
        composer = Composer(*_load("config", []))
        assert composer.compose(["part=one", "part.x=3"]).part.x == 3
        (tmp_path / "config.yaml").write_text("defaults: [part: one]\ny: 1\n")
        changed = composer.compose(["part=two"])
    assert (changed.part.x, "y" in changed) == (2, False)
