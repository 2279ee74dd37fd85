"""The config that a command gives, as run folders keep and compare it."""

from collections.abc import Callable
from typing import Any, TypeVar

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from spectral.runs.folder import RunFolder

Config = TypeVar("Config")


def chosen_keys() -> list[str]:
    """The keys that the command names."""
    overrides: Any = OmegaConf.to_container(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
    return [override.partition("=")[0].lstrip("+~") for override in overrides]


def resolved(config: DictConfig) -> dict[str, Any]:
    """The config resolved, as run folders keep it."""
    resolved_config = OmegaConf.to_container(config, resolve=True)
    assert isinstance(resolved_config, dict)
    return {str(key): value for key, value in resolved_config.items()}


def begun(
    folder: RunFolder, config: Config, resolved_config: dict[str, Any], typed: Callable[[DictConfig], Config]
) -> tuple[Config, dict[str, Any]]:
    """The config of the run that has begun in a locked folder, typed and resolved; the given one if none has.

    Raises:
        UserError: the folder belongs to a run with another config.
    """
    if not folder.config.exists():
        return config, resolved_config
    resolved_config = folder.as_begun(resolved_config, chosen_keys())
    config = typed(OmegaConf.create(resolved_config))
    folder.claim(resolved_config)  # before anything long: packing, say
    return config, resolved_config
