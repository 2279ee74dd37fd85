"""Typed configs in Hydra's ConfigStore: their schemas are made when they are read."""

import copy

import cloudpickle
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from spectral.configs.models import FCNConfig
from spectral.configs.root import ExperimentConfig

FCN = "hydra/typed/model/fcn.yaml"


def test_a_schema_is_made_for_each_reader() -> None:
    store = ConfigStore.instance()
    first = store.load(FCN)
    first.node.dropout = 0.5
    second = store.load(FCN)
    assert OmegaConf.get_type(second.node) is FCNConfig
    assert second.node.dropout == FCNConfig().dropout and first.node.dropout == 0.5
    assert (second.name, second.group, second.provider) == ("fcn.yaml", "hydra/typed/model", "spectral")


def test_a_schema_without_a_group_is_found() -> None:
    assert OmegaConf.get_type(ConfigStore.instance().load("experiment_config.yaml").node) is ExperimentConfig


def test_nodes_are_copied_and_sent_to_workers_without_their_schemas() -> None:
    """Hydra copies the store for --help, and workers get it by cloudpickle."""
    node = ConfigStore.instance().repo["hydra"]["typed"]["model"]["fcn.yaml"]
    for other in (copy.deepcopy(node), cloudpickle.loads(cloudpickle.dumps(node))):
        assert "node" not in vars(other)
        assert other.node == node.node
