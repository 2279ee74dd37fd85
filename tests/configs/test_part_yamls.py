"""The yaml of every part, next to the dataclass that types it."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from spectral.configs.methods import methods
from spectral.configs.registry import Registry
from spectral.configs.root import REGISTRIES as OF_NETWORKS

REGISTRIES = (*OF_NETWORKS, methods)
CONF = Path(__file__).resolve().parents[2] / "conf"
FILES = [(registry, path) for registry in REGISTRIES for path in sorted((CONF / registry.group).glob("*.yaml"))]


def content(path: Path) -> dict[str, Any]:
    loaded = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(loaded, dict)
    return {str(key): value for key, value in loaded.items() if key != "defaults"}


@pytest.mark.parametrize(("registry", "path"), FILES, ids=[f"{r.group}-{path.stem}" for r, path in FILES])
def test_the_yaml_and_the_name_of_a_part_give_the_same_config(registry: Registry, path: Path) -> None:
    """schedule.stages.0.optimizer=adam takes the dataclass, optimizer=adam the yaml; variants have other file names."""
    written = content(path)
    assert path.read_text().startswith("# ")
    if path.stem == written["name"]:
        defaults = dataclasses.asdict(registry.entry(written["name"]).config())
        assert written == {key: defaults[key] for key in written}


@pytest.mark.parametrize("registry", REGISTRIES, ids=[registry.group for registry in REGISTRIES])
def test_every_part_has_a_yaml(registry: Registry) -> None:
    assert set(registry.names) <= {path.stem for path in (CONF / registry.group).glob("*.yaml")}
