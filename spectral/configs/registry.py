"""One name, one typed config, one builder: for models, losses, samplers and every other part chosen by name.

A part is registered by its config dataclass, which imports nothing heavy; the builder is named as
"module:attribute" and imported only when the part is built::

    models = Registry("model")

    @models.register("spectral.models.fcn:FCN")
    @dataclass
    class FCNConfig:
        name: str = "fcn"
        width: int = number(128, at_least=1)

A config whose fields depend on one another also has `check(key)`, which raises UserError.

Registering also puts the dataclass into Hydra's ConfigStore as `hydra/typed/<group>/<name>` (groups below
hydra/ stay out of --help), where the yaml of the same
name takes its types from.
"""

import dataclasses
import importlib
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from spectral.configs.cache import remembered
from spectral.configs.fields import check_fields
from spectral.configs.messages import config_sentence
from spectral.configs.typed_nodes import store_schema
from spectral.configs.whole_value import config_schema
from spectral.errors import UserError, nearest

log = logging.getLogger(__name__)

ConfigType = TypeVar("ConfigType", bound=type)


@dataclass(frozen=True)
class Entry:
    """A registered part: its config dataclass, where its builder is, and what the builder must be a subclass of."""

    config: type
    builder: str
    contract: str | None = None

    def load(self) -> Callable[..., Any]:
        """The builder. Raises TypeError if it is not what the registry's contract asks for."""
        loaded: Callable[..., Any] = _imported(self.builder)
        if self.contract and not (isinstance(loaded, type) and issubclass(loaded, _imported(self.contract))):
            raise TypeError(f"{self.builder} is registered, but is no subclass of {self.contract}, which says why.")
        return loaded


def _imported(where: str) -> Any:
    """The object of "module:attribute"."""
    module, _, attribute = where.partition(":")
    return getattr(importlib.import_module(module), attribute)


class Registry:
    """The parts of one config group.

    Args:
        contract: "module:class" of which every builder is a subclass; None if the group has none.
    """

    def __init__(self, group: str, contract: str | None = None) -> None:
        self.group, self._contract = group, contract
        self._entries: dict[str, Entry] = {}
        self._checked = remembered(self._check)

    def register(self, builder: str) -> Callable[[ConfigType], ConfigType]:
        """Decorate a config dataclass whose `name` field has the part's name as its default."""

        def add(config: ConfigType) -> ConfigType:
            name = config().name
            if name in self._entries:
                raise ValueError(f"{self.group} {name!r} is registered twice")
            self._entries[name] = Entry(config, builder, self._contract)
            store_schema(name, config, group=f"hydra/typed/{self.group}")
            return config

        return add

    @property
    def names(self) -> list[str]:
        return sorted(self._entries)

    def entry(self, name: str, key: str | None = None) -> Entry:
        """Raises UserError, with the nearest valid name, if there is none."""
        if not isinstance(name, str) or name not in self._entries:
            raise UserError(f"{key or self.group}={name} is not known: {nearest(str(name), self._entries)}.")
        return self._entries[name]

    def typed(self, node: Any, key: str | None = None) -> Any:
        """The checked config dataclass of a part.

        Args:
            node: the part's name, or a mapping (plain or DictConfig) with its name and fields.
            key: where the node stands in the config, for the error sentence; the group's name by default.
        """
        key = key or self.group
        if isinstance(node, str):
            node = {"name": node}
        if not isinstance(node, Mapping) or "name" not in node:
            raise UserError(f"{key}={node} needs a name: {nearest('', self._entries)}.")
        entry = self.entry(node["name"], key)
        try:
            # Plain values: what +model.key=value has added to a typed node would pass unseen.
            values = OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else node
            config = self._checked(values, key)
        except OmegaConfBaseException as error:
            raise UserError(config_sentence(error, [f.name for f in dataclasses.fields(entry.config)], key)) from error
        if hasattr(config, "check"):  # not remembered: it may look at more than the values
            config.check(key)
        return config

    def stored(self, node: Any, key: str | None = None) -> Any:
        """As `typed`, of a part that another version may have stored: unknown fields are ignored, with a warning.

        Raises:
            UserError: the part, or the value of a field, is not known.
        """
        if isinstance(node, Mapping) and "name" in node:
            fields = {f.name for f in dataclasses.fields(self.entry(node["name"], key).config)}
            for field in (field for field in node if field not in fields):
                log.warning("%s.%s is not known to this version of Spectral and is ignored.", key or self.group, field)
            node = {field: value for field, value in node.items() if field in fields}
        return self.typed(node, key)

    def _check(self, values: Mapping[str, Any], key: str) -> Any:
        structured = config_schema(self.entry(values["name"]).config)
        config: Any = OmegaConf.to_object(OmegaConf.unsafe_merge(structured, values))
        check_fields(config, key)
        return config

    def build(self, config: Any, **context: Any) -> Any:
        """Call the part's builder with its config's fields, and with what it asks for of the context.

        Args:
            config: a typed config of this group.
            context: values known only at run time (num_classes, length, ...); a builder receives those that it names.
        """
        builder = self.entry(config.name).load()
        wanted = inspect.signature(builder).parameters
        arguments = {f.name: getattr(config, f.name) for f in dataclasses.fields(config) if f.name != "name"}
        return builder(**arguments, **{name: value for name, value in context.items() if name in wanted})
