"""One number per class, by name or in class order: from what the user gave to a list in the data's class order.

Names are known where data.class_names or the simulated survey has them, else only once the data is open.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from spectral.configs.fields import check_sum, written
from spectral.errors import UserError, nearest

Part = TypeVar("Part")


def in_class_order(part: Part, key: str, class_names: Sequence[str], source: str = "the data") -> Part:
    """A copy of a part's config whose values by class are lists in class order.

    Args:
        part: the typed config of a part (a sampler, a loss, a survey).
        key: where it stands in the config, such as "sampler"; empty at the top.
        source: what has these classes, for error sentences.

    Raises:
        UserError: a class that is missing, unknown or named twice; another number of values than of classes; values
            that must sum to 1 and do not.
    """
    changes = {}
    for field, values in _given(part):
        name = f"{key}.{field.name}" if key else field.name
        if isinstance(values, Mapping):
            changes[field.name] = _ordered(values, name, class_names, allows_0=field.metadata["range"].holds(0))
        elif len(values) != len(class_names):
            raise UserError(
                f"{name}={values} has {len(values)} values, but {source} has {len(class_names)} classes: "
                f"{', '.join(class_names)}."
            )
        if field.metadata["sum_to_1"]:
            check_sum(values, name)
    return dataclasses.replace(part, **changes) if changes else part  # type: ignore[type-var]  # always a dataclass


def check_by_class(part: Any, key: str, class_names: Sequence[str] | None) -> None:
    """Check the values by class of a part, or of None, before anything starts; arguments as in in_class_order.

    Args:
        class_names: data.class_names; None if only the data says which classes there are.
    """
    if part is None:
        return
    if class_names is not None:
        in_class_order(part, key, class_names, "data.class_names")
        return
    for field, values in _given(part):
        if field.metadata["sum_to_1"]:
            check_sum(values, f"{key}.{field.name}")


def class_of(name: str, class_names: Sequence[str]) -> str | None:
    """The class that a name means: as it is written, else without regard to case if only one class then matches."""
    if name in class_names:
        return name
    alike = [known for known in class_names if known.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _given(part: Any) -> Iterator[tuple[Any, Any]]:
    """The fields of a part that have one number per class and are not null, with their values."""
    for field in dataclasses.fields(part):
        values = getattr(part, field.name)
        if field.metadata.get("by_class") and values is not None:
            yield field, values


def _ordered(values: Mapping[str, float], name: str, class_names: Sequence[str], allows_0: bool) -> list[float]:
    found: dict[str, float] = {}
    given = f"{name}={written(values)}"
    for key, value in values.items():
        known = class_of(key, class_names)
        if known is None:
            raise UserError(f"{given} names {key}, which is not a class: {nearest(key, class_names)}.")
        if known in found:
            raise UserError(f"{given} names the class {known} twice: leave out one of the two.")
        found[known] = value
    missing = [known for known in class_names if known not in found]
    if missing:
        added = ", ".join(f"{known}: {0 if allows_0 else 1}" for known in missing)
        out = f" to leave {'it' if len(missing) == 1 else 'them'} out" if allows_0 else ""
        raise UserError(f"{given} does not name {_listed(missing)}: add {added}{out}, or another number.")
    return [found[known] for known in class_names]


def _listed(names: Sequence[str]) -> str:
    kind = "the class" if len(names) == 1 else "the classes"
    return f"{kind} {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}"
