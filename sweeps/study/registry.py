"""Registry of the parts of a search that are chosen by name: samplers and pruners, one file each, named by the file.

The parts of an experiment have spectral's registry, with config, yaml and builder in three places. A pruner or sampler
is smaller: its options, its properties and its builder are one class in one file.
"""

import dataclasses
import importlib
import logging
import pkgutil
from collections.abc import Mapping
from typing import Any, Generic, TypeGuard, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from sweeps.errors import config_sentence, nearest, user_error
from sweeps.options import checked

log = logging.getLogger(__name__)

Part = TypeVar("Part")


class Registry(Generic[Part]):
    """The parts of one package: NAME.py holds the dataclass of the part NAME, whose fields are its options.

    Args:
        package: name of the package, such as "sweeps.study.pruners".
        base: what the classes derive from.
        key: the config key that takes a name, such as "sweep.pruner".
        options_key: the config key that takes options, such as "sweep.pruning".
    """

    def __init__(self, package: str, base: type[Part], key: str, options_key: str = "") -> None:
        self._package, self._base, self._key, self._options_key = package, base, key, options_key

    @property
    def names(self) -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(self._package).__path__))

    def find(self, name: str) -> type[Part]:
        """The class of a part.

        Args:
            name: of its file in the package, or module:Class for a user's own part.

        Raises:
            UserError: there is no such part.
        """
        if ":" in name:
            return self._find_own(*name.split(":", 1))
        if name not in self.names:
            raise user_error(f"{self._key}={name} is not known: {nearest(name, self.names)}.")
        module = importlib.import_module(f"{self._package}.{name}")
        parts = (kind for kind in vars(module).values() if self._is_part(kind))
        (found,) = (kind for kind in parts if kind.__module__ == module.__name__)
        return found

    def _find_own(self, module: str, attribute: str) -> type[Part]:
        try:
            found = getattr(importlib.import_module(module), attribute, None)
        except (ImportError, SyntaxError, ValueError) as error:  # ValueError: an empty or relative name
            raise user_error(f"{self._key}={module}:{attribute} cannot be imported: {error}.") from error
        if not self._is_part(found):
            where = f"{self._base.__module__}.{self._base.__name__}"
            raise user_error(f"{self._key}={module}:{attribute} names no subclass of {where}.")
        return found

    def _is_part(self, kind: Any) -> TypeGuard[type[Part]]:
        return isinstance(kind, type) and issubclass(kind, self._base) and kind is not self._base

    def typed(self, name: str, options: Mapping[str, Any]) -> Part:
        """A part with its options.

        Args:
            options: None means the part's own default.

        Raises:
            UserError: the part is not known; an option is not one of its own, or its value is not allowed.
        """
        kind = self.find(name)
        given = {option: value for option, value in options.items() if value is not None}
        fields = _fields(kind)
        for option in sorted(given.keys() - fields.keys()):
            self._refuse_foreign(name, kind, option, given[option])
        return self._typed(kind, {option: value for option, value in given.items() if option in fields})

    def _typed(self, kind: type[Part], options: Mapping[str, Any]) -> Part:
        try:
            merged: Any = OmegaConf.merge(OmegaConf.structured(kind), dict(options))
            values = {name: merged[name] for name in _fields(kind)}
        except MissingMandatoryValue as error:
            raise user_error(f"{self._options_key}.{error.key} needs a value.") from error
        except OmegaConfBaseException as error:
            raise user_error(config_sentence(error, _fields(kind), self._options_key)) from error
        return checked(kind, values, self._options_key)  # type: ignore[type-var]  # a dataclass

    def _refuse_foreign(self, name: str, kind: type[Part], option: str, value: Any) -> None:
        """Raise UserError for an option of other parts, unless it has its default value there.

        So a yaml may list the options of all parts, as in earlier versions. It may also keep its options while it is
        switched to a part that does nothing.
        """
        key, own = f"{self._options_key}.{option}", ", ".join(_fields(kind)) or "no options"
        owners = [other for other in self.names if option in _fields(self.find(other))]
        if not owners:
            every = {field for other in self.names for field in _fields(self.find(other))}
            raise user_error(f"{key} is not known: {nearest(option, _fields(kind) or every)}.")
        kinds = [self.find(owner) for owner in owners]
        typed = getattr(self._typed(kinds[0], {option: value}), option)
        if any(typed == _fields(owner)[option].default for owner in kinds):
            return
        if not getattr(kind, "ignores_options", False):
            raise user_error(f"{key}={value} is an option of {', '.join(owners)}; {self._key}={name} has {own}.")
        log.warning("%s=%s has no effect with %s=%s.", key, value, self._key, name)


def _fields(kind: Any) -> dict[str, "dataclasses.Field[Any]"]:
    return {field.name: field for field in dataclasses.fields(kind)}
