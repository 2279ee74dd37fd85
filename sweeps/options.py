"""Options of launchers and pruners: the values that each option allows, checked before anything starts."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from omegaconf import OmegaConf

from sweeps.errors import nearest, user_error

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


def number(default: float | None, **bounds: float) -> Any:
    """A field for a number within bounds (at_least, above, at_most). None is allowed if the type allows it."""
    return dataclasses.field(default=default, metadata={"bounds": bounds})


def choice(default: str, *allowed: str) -> Any:
    """A field for one of several words."""
    return dataclasses.field(default=default, metadata={"allowed": allowed})


def checked(config: type[Config], options: Mapping[str, Any], key: str = "hydra.launcher") -> Config:
    """Check options and make an instance of their dataclass.

    Args:
        config: the dataclass, with one field per option.
        options: values of the right types; a missing option has its default.
        key: of the options in the whole config, for the error sentence.

    Raises:
        UserError: an option is not known, or its value is not allowed; the sentence names the first.
    """
    fields = {item.name: item for item in dataclasses.fields(config)}
    for name, value in options.items():
        if name not in fields:
            raise user_error(f"{key}.{name} is not known: {nearest(name, fields.keys() - {'_target_'})}.")
        if value is not None:
            _check(f"{key}.{name}", value, fields[name].metadata)
    return config(**{name: _plain(value) for name, value in options.items()})


def _check(key: str, value: Any, metadata: Any) -> None:
    from spectral.configs.fields import Range

    if "allowed" in metadata and value not in metadata["allowed"]:
        raise user_error(f"{key}={value} is not known: {nearest(str(value), metadata['allowed'])}.")
    if "bounds" in metadata and not (allowed := Range(**metadata["bounds"])).holds(value):
        raise user_error(f"{key}={value} is out of range: allowed is {allowed}.")


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
