"""A config that an earlier or a later version stored, as this version would have stored it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from spectral.configs.array_files import unused_options
from spectral.configs.baseline_run import BaselineRunConfig
from spectral.configs.methods import methods
from spectral.configs.pretraining import PretrainingConfig
from spectral.configs.registry import Registry
from spectral.configs.renamed import WITHOUT_KEY, renamed, with_stages_of_0_1
from spectral.configs.root import REGISTRIES, ExperimentConfig
from spectral.errors import UserError

GROUPS = {registry.group: registry for registry in REGISTRIES}


def read_stored(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bring a stored config up to date; its values are not checked.

    Args:
        config: the whole config of a run, a baseline or a pretraining, resolved.

    Returns:
        The config under today's names, with the default of every key that it lacks, and of each option of data=arrays
        that earlier versions took and ignored; and what it holds that this version does not know, by dotted key.
    """
    unknown: dict[str, Any] = {}
    is_of_0_1 = "inputs" not in config  # later versions store it of each kind
    if (kind := kind_of(config)) is ExperimentConfig:
        config = {**WITHOUT_KEY, **with_stages_of_0_1(config, config)}
    completed = _completed(renamed(config), kind, "", unknown)
    return completed | {"data": _without_unused(completed["data"], is_of_0_1)}, unknown


def _without_unused(data: Any, is_of_0_1: bool) -> Any:
    if not isinstance(data, Mapping) or data.get("name") != "arrays":
        return data
    paths = [str(data[key]) for key in ("path", "test_path") if data[key] is not None]
    unused = unused_options(data, paths)
    if is_of_0_1 and all(path.lower().endswith(".parquet") for path in paths):
        unused += ["ivar_key", "mask_key"]  # 0.1 read neither of Parquet
    return {**data, **dict.fromkeys(unused)}


def kind_of(config: Mapping[str, Any]) -> type:
    """The config dataclass of a whole stored config: of a network, a classical method or a pretraining."""
    if "method" in config:
        return BaselineRunConfig
    return PretrainingConfig if "masked_fraction" in config else ExperimentConfig


def _completed(stored: Mapping[str, Any], kind: type, key: str, unknown: dict[str, Any]) -> dict[str, Any]:
    """The fields of a config dataclass from a mapping; what else the mapping holds goes to `unknown`."""
    defaults = {field.name: getattr(kind(), field.name) for field in dataclasses.fields(kind)}
    unknown |= {f"{key}{name}": value for name, value in stored.items() if name not in defaults}
    return {
        name: _value(name, stored.get(name, default), default, f"{key}{name}", unknown)
        for name, default in defaults.items()
    }


def _value(name: str, value: Any, default: Any, key: str, unknown: dict[str, Any]) -> Any:
    """The value of a field: a part with all its options, nested dataclasses as mappings, anything else as it is."""
    # A stage has a loss of its own; `method` is a group of a baseline, and elsewhere an option of that name.
    registry = methods if key == methods.group else GROUPS.get(name)
    if registry is not None and value is not None:
        return _part(registry, {"name": value} if isinstance(value, str) else value, key, unknown)
    if dataclasses.is_dataclass(default) and not isinstance(default, type):
        return _completed(_plain(value, key), type(default), f"{key}.", unknown)
    if isinstance(default, list) and default and dataclasses.is_dataclass(default[0]):
        kind = type(default[0])
        if not isinstance(value, list):
            raise UserError(f"{key}={value} of a stored config is not a list.")
        return [_completed(_plain(item, f"{key}.{i}"), kind, f"{key}.{i}.", unknown) for i, item in enumerate(value)]
    return value


def _part(registry: Registry, stored: Any, key: str, unknown: dict[str, Any]) -> Any:
    """A part with all the options of its name; one that this version does not have stays as it is."""
    if not isinstance(stored, Mapping) or stored.get("name") not in registry.names:  # a list of names
        return stored
    return _completed(stored, registry.entry(stored["name"]).config, f"{key}.", unknown)


def _plain(value: Any, key: str) -> Mapping[str, Any]:
    """A default is a dataclass where all else is a mapping. Raises UserError for anything else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if not isinstance(value, Mapping):
        raise UserError(f"{key}={value} of a stored config is not a mapping.")
    return value
