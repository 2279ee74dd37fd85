"""Compose the configs of a sweep's jobs quickly.

For each job Hydra reads and merges every yaml again, which takes about 0.1 s for fifty files. But the jobs of a sweep
differ mostly in values. So a config is composed here once for each choice of config groups, and Hydra's own code then
sets the values in a copy. The result equals that of ConfigLoader.load_sweep_config (tests compare the two). Files that
are changed during a sweep do not change its jobs.
"""

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra._internal.config_repository import ConfigRepository, IConfigRepository
from hydra._internal.defaults_list import create_defaults_list
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

MAX_KEPT = 64
# Values of these keys are set like any other; other keys of hydra.* may change how the rest is composed.
HYDRA_VALUES = ("hydra.sweep.", "hydra.job.env_set.", "hydra.job.name")


class Composer:
    """Composes the configs of one sweep's jobs: the config of the sweep with the overrides of each job."""

    def __init__(self, loader: ConfigLoader, master: DictConfig) -> None:
        assert isinstance(loader, ConfigLoaderImpl)  # Hydra has no other
        self._plain = not (OmegaConf.select(master, "hydra.searchpath") or master.hydra.job.env_copy)
        self._hydras = loader
        self._loader = _with_memory(loader) if self._plain else loader
        self._master = master
        self._parser = OverridesParser.create(config_loader=loader)
        self._bases: OrderedDict[tuple[bool, tuple[str, ...]], DictConfig] = OrderedDict()

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """The config of a job. Raises the same exceptions as Hydra, such as ConfigCompositionException."""
        parsed = self._parser.parse_overrides(list(overrides))
        if self._needs_hydra(parsed):
            return self._hydras.load_sweep_config(self._master, list(overrides))
        config = self._compose(parsed, is_whole=True)
        self._note_overrides(config.hydra, parsed)
        return config

    def compose_own(self, overrides: Sequence[str]) -> DictConfig:
        """The config of a job without the node `hydra`, in half the time of `compose`."""
        parsed = self._parser.parse_overrides(list(overrides))
        if not self._needs_hydra(parsed):
            return self._compose(parsed, is_whole=False)
        config = self._hydras.load_sweep_config(self._master, list(overrides))
        with open_dict(config):
            config.pop("hydra")
        return config

    def is_group(self, key: str) -> bool:
        """Whether a key is that of a config group."""
        return bool(self._loader.repository.group_exists(key))

    def _needs_hydra(self, parsed: Sequence[Override]) -> bool:
        return not self._plain or any(
            override.is_hydra_override() and not override.key_or_group.startswith(HYDRA_VALUES) for override in parsed
        )

    def _compose(self, parsed: list[Override], *, is_whole: bool) -> DictConfig:
        """The config without the job's overrides under `hydra`. It has a node `hydra` only if `is_whole`."""
        self._loader.validate_sweep_overrides_legal(parsed, run_mode=RunMode.RUN, from_shell=True)
        is_value = [self._is_value(override) for override in parsed]
        chosen = tuple(str(o.input_line) for o, value in zip(parsed, is_value, strict=True) if not value)
        values = [o for o, value in zip(parsed, is_value, strict=True) if value]
        config = copy.deepcopy(self._base(chosen, is_whole=is_whole))
        try:
            # Same as the end of ConfigLoaderImpl.load_configuration.
            self._loader._apply_overrides_to_config(
                [o for o in values if is_whole or not o.is_hydra_override()], config
            )
        except OmegaConfBaseException as error:
            raise ConfigCompositionException() from error
        OmegaConf.copy_cache(from_config=self._master, to_config=config)
        return config

    def _base(self, chosen: tuple[str, ...], *, is_whole: bool) -> DictConfig:
        """The config with its groups chosen, before any values are set."""
        key = is_whole, chosen
        if key not in self._bases:
            load = self._loader.load_sweep_config if is_whole else self._load_own
            self._bases[key] = load(self._master, list(chosen))
            if len(self._bases) > MAX_KEPT:
                self._bases.popitem(last=False)
        self._bases.move_to_end(key)
        return self._bases[key]

    def _load_own(self, master: DictConfig, chosen: list[str]) -> DictConfig:
        """Same as ConfigLoaderImpl.load_sweep_config, but without the files of `hydra`."""
        loader, name = self._loader, master.hydra.job.config_name
        overrides, files = loader._parse_overrides_and_create_caching_repo(name, [*self._inherited(), *chosen])
        listed = create_defaults_list(files, name, overrides, prepend_hydra=True, skip_missing=False)
        own = [default for default in listed.defaults if (default.package or "").partition(".")[0] != "hydra"]
        for loaded in files.cache.values():
            if loaded is not None and isinstance(loaded.config, DictConfig) and "hydra" in loaded.config:
                with open_dict(loaded.config):
                    loaded.config.pop("hydra")
        try:
            config = loader._compose_config_from_defaults_list(own, files)
        except OmegaConfBaseException as error:
            raise ConfigCompositionException() from error
        OmegaConf.set_struct(config, True)
        return config

    def _inherited(self) -> list[str]:
        """Overrides of the sweep's own config, not resolved: they may refer to values that only a job has."""
        return [str(line) for line in OmegaConf.to_container(self._master.hydra.overrides.hydra) or ()]

    def _is_value(self, override: Override) -> bool:
        # As in hydra._internal.defaults_list.Overrides.
        return isinstance(override.value(), dict) or not self.is_group(override.key_or_group)

    def _note_overrides(self, hydra: DictConfig, parsed: list[Override]) -> None:
        hydra.overrides.hydra = self._inherited() + [o.input_line for o in parsed if o.is_hydra_override()]
        task = [o for o in parsed if not o.is_hydra_override()]
        hydra.overrides.task = [o.input_line for o in task]
        naming = hydra.job.config.override_dirname
        hydra.job.override_dirname = get_overrides_dirname(
            task, exclude_keys=naming.exclude_keys, item_sep=naming.item_sep, kv_sep=naming.kv_sep
        )


def _with_memory(loader: ConfigLoaderImpl) -> ConfigLoaderImpl:
    remembering = copy.copy(loader)
    remembering.repository = RememberingRepository(loader.repository)  # type: ignore[assignment]  # its own interface
    return remembering


class RememberingRepository(IConfigRepository):
    """A config repository that reads each file once. Its search path must not change."""

    def __init__(self, repository: ConfigRepository) -> None:
        self._repository = repository
        self._loaded: dict[str, ConfigResult | None] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "RememberingRepository":
        """Return the same object: Hydra copies a repository for each config, in case its search path is changed."""
        return self

    def load_config(self, config_path: str) -> ConfigResult | None:
        """A copy of the config, which the caller may change."""
        if config_path not in self._loaded:
            self._loaded[config_path] = self._repository.load_config(config_path)
        return copy.deepcopy(self._loaded[config_path])

    def get_schema_source(self) -> ConfigSource:
        return self._repository.get_schema_source()

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        raise NotImplementedError("a changed search path needs a repository of its own")

    def group_exists(self, config_path: str) -> bool:
        return self._repository.group_exists(config_path)

    def config_exists(self, config_path: str) -> bool:
        return self._repository.config_exists(config_path)

    def get_group_options(self, group_name: str, results_filter: ObjectType | None = ObjectType.CONFIG) -> list[str]:
        return self._repository.get_group_options(group_name, results_filter)

    def get_sources(self) -> list[ConfigSource]:
        return self._repository.get_sources()
