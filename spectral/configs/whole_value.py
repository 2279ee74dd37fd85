"""A config node whose value is replaced whole: OmegaConf would merge a new mapping into the one that is there.

Values with one number per class are a mapping or a list. Merged, a mapping over a mapping would keep classes that the
new one does not name, and a mapping over a list would be refused.
"""

import copy
import dataclasses
import sys
from typing import Any

from omegaconf import Container, DictConfig, OmegaConf, ValueNode
from omegaconf.base import Metadata
from omegaconf.errors import ValidationError

EMPTY = "a mapping of classes that names no class"


class WholeValue(ValueNode):
    """Holds null, a mapping, a list, or whatever else was given: a part's own check says what is allowed.

    Raises:
        ValidationError: an empty mapping; OmegaConf also sets one before it sets a single key within the value.
    """

    def __init__(self, value: Any = None) -> None:
        # A type of its own, and not Any: only so does OmegaConf keep the node and set its value.
        super().__init__(parent=None, value=value, metadata=Metadata(WholeValue, None, optional=True, key=None))

    def _set_value(self, value: Any, flags: dict[str, bool] | None = None) -> None:
        super()._set_value(plain(value), flags)

    def _validate_and_convert_impl(self, value: Any) -> Any:
        if value == {}:
            raise ValidationError(EMPTY)
        return value

    def __deepcopy__(self, memo: dict[int, Any]) -> "WholeValue":
        copied = WholeValue()
        self._deepcopy_impl(copied, memo)
        copied.__dict__["_val"] = copy.deepcopy(self._val, memo)
        return copied


def config_schema(config: type) -> DictConfig:
    """The structured config of a dataclass, in which the values with one number per class are replaced whole."""
    schema: DictConfig = OmegaConf.structured(config)
    for field in dataclasses.fields(config):
        if field.metadata.get("by_class"):
            schema[field.name] = WholeValue(schema[field.name])
    return schema


def plain(value: Any) -> Any:
    """Plain lists, and mappings by text; with numbers as floats, as OmegaConf makes them of a list of floats."""
    if isinstance(value, Container):
        value = OmegaConf.to_container(value) if not value._is_interpolation() else value._value()
    if isinstance(value, dict):
        return {_name(key): _number(element) for key, element in value.items()}
    return [_number(element) for element in value] if isinstance(value, list | tuple) else value


def _name(key: Any) -> str:
    """A class's name, which the parser may have taken for a number, true or null."""
    return "null" if key is None else str(key).lower() if isinstance(key, bool) else str(key)


def _number(value: Any) -> Any:
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_integer and abs(value) < sys.float_info.max else value
