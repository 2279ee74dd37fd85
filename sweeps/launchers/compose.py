"""Compose the configs of a sweep's jobs quickly.

Hydra reads and merges every yaml anew for each job, about 0.1 s for fifty files, although jobs of a sweep differ mostly
in values. Here a config is composed once for each choice of config groups; the values are then laid over a copy by
Hydra's own code. The result equals that of ConfigLoader.load_sweep_config (the tests compare them); files changed
during a sweep do not change its jobs.
"""

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeps.launchers.repository import RememberingRepository

MAX_KEPT = 64
# Values of these are laid over like any other; other keys of hydra.* may change how the rest is composed.
HYDRA_VALUES = ("hydra.sweep.", "hydra.job.env_set.", "hydra.job.name")


class Composer:
    """The configs of one sweep: what Hydra composed for the sweep, with the overrides of each job."""

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        assert isinstance(loader, ConfigLoaderImpl)  # Hydra has no other
        self._plain = not (OmegaConf.select(master, "hydra.searchpath") or master.hydra.job.env_copy)
        self._hydras = loader
        self._loader = _with_memory(loader) if self._plain else loader
        self._master = master
        self._parser = OverridesParser.create(config_loader=loader)
        self._bases: OrderedDict[tuple[str, ...], DictConfig] = OrderedDict()

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Raises ConfigCompositionException and its kin, as Hydra does."""
        parsed = self._parser.parse_overrides(list(overrides))
        if not self._plain or any(_needs_hydra(override) for override in parsed):
            return self._hydras.load_sweep_config(self._master, list(overrides))
        self._loader.validate_sweep_overrides_legal(parsed, run_mode=RunMode.RUN, from_shell=True)
        is_value = [self._is_value(override) for override in parsed]
        chosen = tuple(str(o.input_line) for o, value in zip(parsed, is_value, strict=True) if not value)
        config = copy.deepcopy(self._base(chosen))
        self._lay_over(config, [o for o, value in zip(parsed, is_value, strict=True) if value], parsed)
        return config

    def _base(self, chosen: tuple[str, ...]) -> DictConfig:
        """The config with its groups chosen, before any values."""
        if chosen not in self._bases:
            self._bases[chosen] = self._loader.load_sweep_config(self._master, list(chosen))
            if len(self._bases) > MAX_KEPT:
                self._bases.popitem(last=False)
        self._bases.move_to_end(chosen)
        return self._bases[chosen]

    def _is_value(self, override: Override) -> bool:
        # As in hydra._internal.defaults_list.Overrides.
        return isinstance(override.value(), dict) or not self._loader.repository.group_exists(override.key_or_group)

    def _lay_over(self, config: DictConfig, values: list[Override], parsed: list[Override]) -> None:
        """The end of ConfigLoaderImpl.load_configuration."""
        try:
            self._loader._apply_overrides_to_config(values, config)
        except OmegaConfBaseException as error:
            raise ConfigCompositionException() from error
        told = config.hydra.overrides
        inherited: list[Any] = OmegaConf.to_container(self._master.hydra.overrides.hydra)  # type: ignore[assignment]
        told.hydra = inherited + [o.input_line for o in parsed if o.is_hydra_override()]
        task = [o for o in parsed if not o.is_hydra_override()]
        told.task = [o.input_line for o in task]
        naming = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = get_overrides_dirname(
            task, exclude_keys=naming.exclude_keys, item_sep=naming.item_sep, kv_sep=naming.kv_sep
        )
        OmegaConf.copy_cache(from_config=self._master, to_config=config)


def _with_memory(loader: ConfigLoaderImpl) -> ConfigLoaderImpl:
    remembering = copy.copy(loader)
    remembering.repository = RememberingRepository(loader.repository)  # type: ignore[assignment]  # its own interface
    return remembering


def _needs_hydra(override: Override) -> bool:
    return override.is_hydra_override() and not override.key_or_group.startswith(HYDRA_VALUES)
