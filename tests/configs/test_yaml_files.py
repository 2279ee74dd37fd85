"""The yaml files of conf/: each composes, passes its checks, and begins with its purpose."""

import dataclasses
import functools
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf
from small_runs import REPOSITORY, composed

from spectral.configs.baseline_run import BaselineRunConfig, typed_baseline
from spectral.configs.methods import methods
from spectral.configs.models import models
from spectral.configs.registry import Registry
from spectral.configs.root import REGISTRIES as OF_NETWORKS
from spectral.configs.root import ExperimentConfig, typed

REGISTRIES = (*OF_NETWORKS, methods)
CONF = REPOSITORY / "conf"
GROUP_FILES = sorted(path for path in CONF.glob("*/*.yaml") if path.parent.name not in ("hydra", "experiment"))
ALONE = ("experiment", "hydra", "method", "schedule")  # a schedule has a batch size, which must fit the sampler
TOGETHER = {
    folder.name: sorted(path.stem for path in folder.glob("*.yaml"))
    for folder in sorted(CONF.iterdir())
    if folder.is_dir() and folder.name not in ALONE
}
EXPERIMENTS = sorted(path.stem for path in CONF.glob("experiment/*.yaml"))


def with_choice(choice: str) -> DictConfig:
    """The config with one part chosen by `group=name`; next to it other groups have parts that are tried as well."""
    group, _, name = choice.partition("=")
    if group not in TOGETHER:
        return _composed("baseline" if group == "method" else "config", choice)
    number = TOGETHER[group].index(name)
    parts = {other: names[number] for other, names in TOGETHER.items() if number < len(names)}
    return _composed("config", *(f"{other}={part}" for other, part in parts.items()))


@functools.cache
def _composed(name: str, *choices: str) -> DictConfig:
    return composed(["run_dir=never", *choices], name)


def label(path: Path) -> str:
    return f"{path.parent.name}={path.stem}"


@pytest.mark.parametrize("choice", [*map(label, GROUP_FILES), *(f"experiment={name}" for name in EXPERIMENTS)])
def test_every_yaml_composes_and_passes(choice: str) -> None:
    if choice.startswith("method="):
        assert isinstance(typed_baseline(with_choice(choice)), BaselineRunConfig)
    else:
        assert isinstance(typed(with_choice(choice)), ExperimentConfig)


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.yaml")), ids=lambda path: str(path.relative_to(CONF)))
def test_every_yaml_begins_with_what_it_does(path: Path) -> None:
    if "help" not in path.parts:
        assert path.read_text().startswith("# ")


@pytest.mark.parametrize(
    ("registry", "name"),
    [pytest.param(registry, name, id=f"{registry.group}={name}") for registry in REGISTRIES for name in registry.names],
)
def test_the_yaml_of_a_part_states_its_defaults(registry: Registry, name: str) -> None:
    """optimizer=adam takes the yaml, schedule.stages.0.optimizer=adam the dataclass."""
    config = with_choice(f"{registry.group}={name}")[registry.group]
    assert isinstance(config, DictConfig)
    assert set(config) == {field.name for field in dataclasses.fields(registry.entry(name).config)}
    assert registry.typed(OmegaConf.to_container(config)) == registry.typed(config) == registry.typed({"name": name})


@pytest.mark.parametrize("registry", REGISTRIES, ids=[registry.group for registry in REGISTRIES])
def test_the_yamls_of_a_group_are_of_all_its_parts(registry: Registry) -> None:
    paths = sorted((CONF / registry.group).glob("*.yaml"))
    assert {OmegaConf.load(path).name for path in paths} == set(registry.names) <= {path.stem for path in paths}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"model={name}") for name in models.names])
def test_the_yaml_of_a_network_shows_how_to_choose_it_and_all_its_options(name: str) -> None:
    written = (CONF / "model" / f"{name}.yaml").read_text()
    assert f"model={name}" in written.splitlines()[0]
    for field in dataclasses.fields(models.entry(name).config):
        assert f"\n{field.name}:" in written, f"{name}.yaml does not show {field.name}"
