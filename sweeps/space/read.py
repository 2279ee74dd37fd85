"""Read an axis from its yaml, under its key in `sweep.space`. See docs/sweep-space.md."""

import math
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sweeps.errors import nearest, user_error
from sweeps.space.axis import Axis, Condition
from sweeps.space.domains.base import Domain
from sweeps.space.domains.choice import Fixed, one_of
from sweeps.space.domains.list_of import ListOf
from sweeps.space.domains.numbers import MOST_STEPS, Float, Int, stepped
from sweeps.space.domains.simplex import UNITS, Simplex
from sweeps.space.values import is_key, is_number, is_plain, key_text, override

Fields = Mapping[str, Any]

MOST_PARAMETERS = 1000  # of an axis: every trial stores all of them


def read_axis(key: str, node: Any) -> Axis:
    """An axis from its yaml: a mapping with a type, a list (a choice), or a single value (fixed).

    Raises:
        UserError: the yaml is not valid; the sentence says why.
    """
    where = f"sweep.space.{key}"
    condition = Condition()
    if isinstance(node, Mapping) and "when" in node:
        condition = read_condition(f"{where}.when", node["when"])
        node = {name: value for name, value in node.items() if name != "when"}
    return Axis(key, read_domain(where, node), condition)


def read_condition(where: str, node: Any) -> Condition:
    """A condition from `{key: value}` or `{key: [value, value]}`. With several keys, all must hold."""
    if not isinstance(node, Mapping) or not node:
        raise user_error(f"{where}={node} is not a condition: allowed is a mapping such as {{model: fcn}}.")
    return Condition({str(key): value if isinstance(value, list) else [value] for key, value in node.items()})


def read_domain(where: str, node: Any) -> Domain:
    if isinstance(node, list):
        return _choice(where, {"values": node})
    if not isinstance(node, Mapping):
        return _fixed(where, {"value": node})
    kind = node.get("type") or _implied_type(node)
    if kind is None:
        raise user_error(
            f"{where}={node} does not say what is searched: allowed is a list of values, or a mapping with low and "
            "high, or with a type; the name of an axis is one key, dots included: on the command line write it without "
            f"sweep.space, as in model.width=8,16, or as {_whole(where, node)}."
        )
    if not isinstance(kind, str) or kind not in _READERS:
        raise user_error(f"{where}.type={kind} is not known: {nearest(str(kind), _READERS)}.")
    fields = {str(name): value for name, value in node.items() if name != "type"}
    required, optional, read = _READERS[kind]
    for name in fields:
        if name not in required + optional:
            problem = f"{where}.{name} is not a field of {_with_article(kind)}"
            raise user_error(f"{problem}: {nearest(name, required + optional)}.")
    for name in required:
        if name not in fields:
            raise user_error(f"{where} needs {name}: {_with_article(kind)} has {', '.join(required + optional)}.")
    return read(where, fields)


def _whole(where: str, node: Any) -> str:
    """The argument for the axes, if the dots in their names were read or written as levels."""
    axes = dict(_leaves(where.removeprefix("sweep.space."), node))
    return shlex.quote(override("+sweep.space", axes))


def _leaves(name: str, node: Any) -> Iterator[tuple[str, Any]]:
    """The axes in a mapping by levels, under their whole names."""
    if not isinstance(node, Mapping) or not node or FIELDS.intersection(node):
        yield name, node
        return
    for level, inner in node.items():
        yield from _leaves(f"{name}.{level}", inner)


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind == "int" else f"a {kind}"


def _implied_type(fields: Fields) -> str | None:
    """The type if none is given: choice if there are values; else int if all numbers are integers, else float."""
    if "values" in fields:
        return "choice"
    if "low" not in fields and "high" not in fields:
        return None
    numbers = [fields[name] for name in ("low", "high", "step") if fields.get(name) is not None]
    return "int" if all(isinstance(value, int) for value in numbers) else "float"


def _number(where: str, fields: Fields) -> Domain:
    low, high, step, log = fields["low"], fields["high"], fields.get("step"), fields.get("log", False)
    for name in ("low", "high", "step"):
        if not is_number(fields.get(name)) and (name != "step" or step is not None):
            raise user_error(f"{where}.{name}={fields[name]} has the wrong type: allowed is a number.")
    if not isinstance(log, bool):
        raise user_error(f"{where}.log={log} has the wrong type: allowed is true or false.")
    return number_domain(where, low, high, step, log)


def number_domain(where: str, low: float, high: float, step: float | None = None, log: bool = False) -> Domain:
    """A domain of integers if all given numbers are integers, else of floats; both ends included."""
    if not low < high:
        raise user_error(f"{where} goes from {low} to {high}: low must be below high.")
    if not math.isfinite(high - low):
        raise user_error(f"{where} goes from {low} to {high}: their distance must be finite.")
    if log and low <= 0:
        raise user_error(f"{where} is logarithmic from {low}: low must be above 0.")
    if step is not None:
        return _stepped(where, low, high, step, log)
    if isinstance(low, int) and isinstance(high, int):
        return Int(low, high, log)
    return Float(float(low), float(high), log)


def _stepped(where: str, low: float, high: float, step: float, log: bool) -> Domain:
    if log:
        raise user_error(f"{where} has step={step} and log=true, which exclude each other: give one of the two.")
    if not 0 < step < math.inf:
        raise user_error(f"{where}.step={step} is out of range: allowed is above 0 and finite.")
    if high - low > MOST_STEPS * step:
        raise user_error(f"{where}.step={step} gives too many values: allowed are {MOST_STEPS:,}.")
    if not all(isinstance(value, int) for value in (low, high, step)):
        low, high, step = float(low), float(high), float(step)
    steps = stepped(low, high, step)
    if steps.numbers[-1] != high:
        raise user_error(
            f"{where} never reaches high={high} from {low} by {step}: the last value is {steps.numbers[-1]}."
        )
    return steps


def _int(where: str, fields: Fields) -> Domain:
    for name in ("low", "high", "step"):
        value = fields.get(name)
        if value is not None and not (is_number(value) and float(value).is_integer()):
            raise user_error(f"{where}.{name}={value} has the wrong type: allowed is an integer.")
    whole = {name: int(fields[name]) for name in ("low", "high", "step") if fields.get(name) is not None}
    return _number(where, {**fields, **whole})


def _float(where: str, fields: Fields) -> Domain:
    bounds = {name: float(fields[name]) for name in ("low", "high") if is_number(fields[name])}
    return _number(where, {**fields, **bounds})


def _choice(where: str, fields: Fields) -> Domain:
    values = fields["values"]
    if not isinstance(values, list) or not values:
        raise user_error(f"{where}={values} is not a choice: allowed is a list of one value or more.")
    for value in values:
        _check_plain(where, value)
    return one_of(values)


def _fixed(where: str, fields: Fields) -> Domain:
    _check_plain(where, fields["value"])
    return Fixed(fields["value"])


def _check_plain(where: str, value: Any) -> None:
    if not is_plain(value):
        raise user_error(
            f"{where}={value} cannot be written as an override: allowed are null, true, numbers, text, "
            "lists, and mappings whose keys Hydra reads without quotes."
        )


def _list(where: str, fields: Fields) -> Domain:
    shortest, longest = fields.get("min_length", 1), fields["max_length"]
    _check_count(f"{where}.min_length", shortest, 0)
    _check_count(f"{where}.max_length", longest, max(1, shortest))
    return ListOf(read_domain(f"{where}.element", fields["element"]), shortest, longest)


def _simplex(where: str, fields: Fields) -> Domain:
    classes, size, least = _classes(where, fields.get("classes")), fields.get("size"), fields.get("minimum", 0)
    if classes is None and size is None:
        raise user_error(f"{where} needs classes, a list of their names; or size, their number.")
    if size is None:
        size = len(classes or ())
    _check_count(f"{where}.size", size, 2)
    if classes and size != len(classes):
        raise user_error(f"{where} has size={size} and {len(classes)} classes: leave out size.")
    if isinstance(least, Mapping):
        minimum = _minimum_by_class(where, least, classes)
    else:
        minimum = least if isinstance(least, list) else [least] * size
    whole = all(is_number(m) and 0 <= m < 1 and abs(m * UNITS - round(m * UNITS)) < 1e-6 for m in minimum)
    if len(minimum) != size or not whole:
        raise user_error(
            f"{where}.minimum={least} is not allowed: it is one share, or {size} of them, each at least 0, "
            "below 1 and of at most 4 decimals."
        )
    if sum(round(m * UNITS) for m in minimum) >= UNITS:
        raise user_error(f"{where}.minimum={least} leaves nothing to search: {size} shares must sum to less than 1.")
    return Simplex(tuple(float(m) for m in minimum), classes)


def _classes(where: str, given: Any) -> tuple[str, ...] | None:
    """The class names, which must be valid keys of an override; None if none are given."""
    if given is None:
        return None
    if not isinstance(given, list) or any(isinstance(name, list | Mapping) for name in given):
        raise user_error(f"{where}.classes={given} has the wrong type: allowed is a list of names, as [star, qso].")
    names = tuple(key_text(name) for name in given)
    if len(set(names)) < len(names):
        raise user_error(f"{where}.classes={given} has a name more than once.")
    for name in names:
        if not is_key(name):
            raise user_error(
                f"{where}.classes holds {name}, which cannot be a key of an override: give size instead of classes; "
                "shares are then a list in class order."
            )
    return names


def _minimum_by_class(where: str, given: Mapping[Any, Any], classes: tuple[str, ...] | None) -> list[Any]:
    """The minimum of each class; 0 for classes that are not named."""
    by_class = {key_text(name): minimum for name, minimum in given.items()}
    for name in by_class:
        if name not in (classes or ()):
            allowed = nearest(name, classes) if classes else "a minimum by name needs classes"
            raise user_error(f"{where}.minimum names {name}, which is not a class of the search: {allowed}.")
    return [by_class.get(name, 0) for name in classes or ()]


def _check_count(where: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST_PARAMETERS:
        allowed = f"an integer from {least} to {MOST_PARAMETERS}"
        raise user_error(f"{where}={value} is out of range: allowed is {allowed}.")


_Reader = Callable[[str, Fields], Domain]
_BOUNDS = (("low", "high"), ("step", "log"))
_READERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], _Reader]] = {
    "int": (*_BOUNDS, _int),
    "float": (*_BOUNDS, _float),
    "choice": (("values",), (), _choice),
    "fixed": (("value",), (), _fixed),
    "list": (("max_length", "element"), ("min_length",), _list),
    "simplex": ((), ("classes", "size", "minimum"), _simplex),
}
"""Type -> its required fields, its optional fields, and the function that reads them."""
FIELDS = {"type", "when"}.union(*(required + optional for required, optional, _ in _READERS.values()))
"""What may follow the name of an axis: the fields of any of its forms."""
