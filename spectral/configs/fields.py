"""Dataclass fields that carry their allowed values, and the check that reads them.

A config dataclass says what is allowed where it says the default::

    width: int = number(16, at_least=1)
    pooling: str = choice("max", "max", "average")

`check_fields` is run on every typed config before anything starts.
"""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spectral.configs.messages import element_type, kind_in_words
from spectral.configs.renamed import new_name
from spectral.errors import UserError, nearest

SUM_TOLERANCE = 1e-6
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
LARGEST = 2**64 - 1  # of a whole number: one of hundreds of digits is no float, and no library's integer


@dataclass(frozen=True)
class Range:
    """Bounds of a number, or of each element of a list."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def holds(self, value: float) -> bool:
        return (
            not is_too_large(value)
            and math.isfinite(value)
            and (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        words = {"at least": self.at_least, "above": self.above, "at most": self.at_most, "below": self.below}
        given = {word: bound for word, bound in words.items() if bound is not None}
        numbers = (f"{word} {bound if isinstance(bound, int) else format(bound, 'g')}" for word, bound in given.items())
        return " and ".join(numbers) or "finite"


def is_too_large(value: float) -> bool:
    return isinstance(value, int) and abs(value) > LARGEST


def number(default: float | None, **bounds: float) -> Any:
    """A number within bounds (at_least, above, at_most, below); None passes where the type is Optional."""
    return field(default=default, metadata={"range": Range(**bounds)})


def numbers(default: Sequence[float] | None, *, min_items: int = 1, **bounds: float) -> Any:
    """A list of at least `min_items` numbers, each within bounds; None passes where the type is Optional."""
    return _listed(default, {"range": Range(**bounds), "min_items": min_items})


def numbers_by_class(default: Sequence[float] | None, *, sum_to_1: bool = False, **bounds: float) -> Any:
    """One number per class, each within bounds: a mapping by class name, or a list in class order; or None.

    What needs the names of the classes, the sum included, is checked by class_lists.py. The field's type is Any.
    """
    return _listed(default, {"range": Range(**bounds), "min_items": 2, "by_class": True, "sum_to_1": sum_to_1})


def _listed(default: Sequence[float] | None, metadata: dict[str, Any]) -> Any:
    if default is None:
        return field(default=None, metadata=metadata)
    return field(default_factory=lambda: list(default), metadata=metadata)


def choice(default: str | int | None, *allowed: str | int) -> Any:
    """One of some words or numbers; of a list, each element."""
    return field(default=default, metadata={"allowed": allowed})


def must_exist(default: str | None, kind: str) -> Any:
    """The path of something that must be there before a run begins: spectral/availability.py checks it.

    Args:
        kind: file, folder, or spectra: a file that leads to spectra, which must not be FITS.
    """
    return field(default=default, metadata={"path": kind})


def device_name(default: str = "auto") -> Any:
    """The name of a device of torch, or auto."""
    return field(default=default, metadata={"device": True})


def check_fields(config: Any, key: str) -> None:
    """Raise UserError for the first field of a config dataclass, nested ones included, that is not allowed.

    Args:
        config: an instance of a config dataclass.
        key: where it stands in the whole config, such as "model"; it begins the sentence.
    """
    for item in dataclasses.fields(config):
        value, name = getattr(config, item.name), f"{key}.{item.name}" if key else item.name
        if dataclasses.is_dataclass(value):
            check_fields(value, name)
        elif isinstance(value, list) and value and dataclasses.is_dataclass(value[0]):
            for i, element in enumerate(value):
                check_fields(element, f"{name}[{i}]")
        elif value is not None:
            _check_elements(value, name, item.type)
            _check_value(value, name, item.metadata)


def _check_elements(value: Any, name: str, kind: Any) -> None:
    """Refuse a list or a mapping as an element of a list of numbers or texts: OmegaConf lets it pass."""
    allowed = kind_in_words(element_type(kind))
    for i, element in enumerate(value if isinstance(value, list) and allowed else []):
        if isinstance(element, list | Mapping):
            raise UserError(f"{name}[{i}]={written(element)} has the wrong type: allowed is {allowed}.")


def _check_value(value: Any, name: str, metadata: Any) -> None:
    elements = elements_of(value)
    if "allowed" in metadata and (others := [each for each in elements if each not in metadata["allowed"]]):
        value = others[0]
        if new := new_name(name, value):
            raise UserError(f"{name}={value} has another name now: give {name}={new}.")
        raise UserError(f"{name}={value} is not known: {nearest(str(value), metadata['allowed'])}.")
    if "device" in metadata and not DEVICE.fullmatch(value):
        raise UserError(f"{name}={value} is no device: allowed are auto, cpu, mps, cuda, and one GPU, as in cuda:1.")
    if metadata.get("by_class") and not (isinstance(value, list | Mapping) and all(map(is_number, elements))):
        raise UserError(
            f"{name}={written(value)} has the wrong type: allowed is a number for each class, by name as in "
            "{star: 0.8, qso: 0.2}, or a list in class order."
        )
    if isinstance(value, list) and len(value) < metadata.get("min_items", 0):
        raise UserError(f"{name}={value} is too short: it needs at least {metadata['min_items']} values.")
    if "range" in metadata:
        for element in elements:
            if not metadata["range"].holds(element):
                also = f", and no whole number beyond {LARGEST}" if is_too_large(element) else ""
                raise UserError(f"{name}={written(value)} is out of range: allowed is {metadata['range']}{also}.")
    if metadata.get("sum_to_1") and isinstance(value, list):  # of a mapping, a class that is missing is named first
        check_sum(value, name)


def check_sum(values: Any, name: str) -> None:
    """Raise UserError unless the numbers of a list or a mapping sum to 1 within SUM_TOLERANCE."""
    total = sum(elements_of(values))
    if abs(total - 1) > SUM_TOLERANCE:
        raise UserError(f"{name}={written(values)} sums to {total:.6g}: it must sum to 1.")


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def written(value: Any) -> str:
    """A value in an error sentence; a mapping as the command line has it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {element}" for key, element in value.items()) + "}"
    return str(value)


def elements_of(value: Any) -> list[Any]:
    """The values of a mapping or a list, in the order in which they are given; any other value as the only one."""
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else [value]
