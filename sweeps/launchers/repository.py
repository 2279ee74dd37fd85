"""Config files that are read once: Hydra's own repository reads each of them, and copies its store, for each config."""

import copy
from typing import Any

from hydra._internal.config_repository import ConfigRepository, IConfigRepository
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource


class RememberingRepository(IConfigRepository):
    """Gives what a repository gives, as it was when first asked for; its search path must not change."""

    def __init__(self, repository: ConfigRepository) -> None:
        self._repository = repository
        self._loaded: dict[str, ConfigResult | None] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "RememberingRepository":
        """Itself: Hydra copies a repository for each config, lest its search path be changed."""
        return self

    def load_config(self, config_path: str) -> ConfigResult | None:
        """A copy, which its user may change."""
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
