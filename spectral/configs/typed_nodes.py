"""Typed configs in Hydra's ConfigStore, whose schemas are made when a command composes them.

A command reads few of some seventy, and to make all takes as long as to compose its config.
"""

from typing import Any

from hydra.core.config_store import ConfigNode, ConfigStore
from omegaconf import DictConfig

from spectral.configs.whole_value import config_schema


class TypedNode(ConfigNode):
    """A node of the ConfigStore for a config dataclass."""

    def __init__(self, name: str, config: type, group: str | None) -> None:
        self.name, self.group, self.package, self.provider = name, group, None, "spectral"
        self._config = config

    def __getattr__(self, attribute: str) -> DictConfig:
        if attribute != "node":  # the store sets this one in the copies that it hands out
            raise AttributeError(attribute)
        return config_schema(self._config)


def store_schema(name: str, config: type, group: str | None = None) -> None:
    """Store the schema of a config dataclass for Hydra, as `group/name`."""
    folder: dict[str, Any] = ConfigStore.instance().repo
    for part in group.split("/") if group else ():
        folder = folder.setdefault(part, {})
    folder[f"{name}.yaml"] = TypedNode(f"{name}.yaml", config, group)
