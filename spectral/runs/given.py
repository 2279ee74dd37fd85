"""The config that a command gives, as run folders keep and compare it."""

from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf


def chosen_keys() -> list[str]:
    """The keys that the command names."""
    overrides: Any = OmegaConf.to_container(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
    return [override.partition("=")[0].lstrip("+~") for override in overrides]


def resolved(config: DictConfig) -> dict[str, Any]:
    """The config resolved, as run folders keep it."""
    resolved_config = OmegaConf.to_container(config, resolve=True)
    assert isinstance(resolved_config, dict)
    return {str(key): value for key, value in resolved_config.items()}
