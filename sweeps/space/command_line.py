"""Read axes from the command line, in Hydra's sweep syntax and with Hydra's own parser."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    QuotedString,
    RangeSweep,
    Sweep,
)
from hydra.errors import HydraException

from sweeps.errors import nearest, user_error
from sweeps.space.axis import Axis
from sweeps.space.domains.base import Domain
from sweeps.space.domains.choice import Fixed, one_of
from sweeps.space.domains.numbers import MOST_STEPS, Steps
from sweeps.space.read import number_domain
from sweeps.space.values import is_plain


@dataclass(frozen=True)
class Argument:
    """One argument of the command.

    Args:
        key: of the config, with Hydra's + if it has one.
        axis: the argument as an axis, which is fixed if it has a single value; None if the argument deletes a key.
        override: the argument as an override for a job, if it has a single value.
    """

    key: str
    axis: Axis | None
    override: str | None

    @property
    def is_swept(self) -> bool:
        return self.override is None


def read_arguments(arguments: Sequence[str], config_loader: ConfigLoader | None = None) -> list[Argument]:
    """Read the arguments, in their order. If a key is given twice, the last value replaces the first, as in Hydra.

    Args:
        config_loader: gives the names in a config group, which `glob` needs.

    Raises:
        UserError: an argument cannot be swept over.
        OverrideParseException: an argument is not in Hydra's syntax.
    """
    found: dict[str, Argument] = {}
    for override in _parser(config_loader).parse_overrides(list(arguments)):
        argument = _read(override)
        found[argument.key.lstrip("+")] = argument
    return list(found.values())


def _parser(config_loader: ConfigLoader | None) -> OverridesParser:
    functions = create_functions()
    # Hydra's interval turns its ends into floats at once, so that integers could not be distinguished from floats.
    functions.functions["interval"] = lambda start, end: IntervalSweep(start=start, end=end)
    return OverridesParser(functions, config_loader)


def _read(override: Override) -> Argument:
    key = override.get_key_element()
    if override.is_sweep_override():
        if override.is_delete():
            raise user_error(f"{override.input_line} cannot be swept over: it deletes a key and has no values.")
        return Argument(key, _axis(key, override), None)
    if override.is_delete():
        return Argument(key, None, override.input_line)
    # The value is written out, not copied as typed: shuffle([1,2,3]) must give all jobs the same list.
    return Argument(key, Axis(key, Fixed(_plain(override.value()))), f"{key}={override.get_value_element_as_str()}")


def _axis(key: str, override: Override) -> Axis:
    sweep: Any = override.value()
    tags = sweep.tags if isinstance(sweep, Sweep) else set()
    allowed_tags = ["float", "int", "log"] if isinstance(sweep, IntervalSweep) else []
    for tag in sorted(tags - set(allowed_tags)):
        allowed = nearest(tag, allowed_tags) if allowed_tags else "only an interval can have tags"
        raise user_error(f"{override.input_line} has the tag {tag}, which is not allowed here: {allowed}.")
    if isinstance(sweep, IntervalSweep):
        return Axis(key, _interval(override, sweep))
    domain = _steps(str(override.input_line), sweep) if isinstance(sweep, RangeSweep) else None
    shuffled = isinstance(sweep, ChoiceSweep | RangeSweep) and sweep.shuffle
    return Axis(key, domain or one_of(_listed(override)), shuffled=shuffled)


def _interval(override: Override, sweep: IntervalSweep) -> Domain:
    """The domain of an interval, both ends included: integers if both ends are integers or the tag int is given."""
    ends: list[Any] = [sweep.start, sweep.end]
    if {"int", "float"} <= sweep.tags:
        raise user_error(f"{override.input_line} has the tags int and float: give one of the two.")
    if "int" in sweep.tags and not all(float(end).is_integer() for end in ends):
        raise user_error(f"{override.input_line} has the tag int: its ends must be integers.")
    kind = int if "int" in sweep.tags else float if "float" in sweep.tags else None
    low, high = [kind(end) for end in ends] if kind else ends
    return number_domain(str(override.input_line), low, high, log="log" in sweep.tags)


def _steps(where: str, sweep: RangeSweep) -> Steps | None:
    """The values of a range; None if it has fewer than two."""
    if not sweep.step:
        raise user_error(f"{where} never ends: its step must not be 0.")
    assert sweep.start is not None and sweep.stop is not None
    if not abs(sweep.stop - sweep.start) <= MOST_STEPS * abs(sweep.step):
        raise user_error(f"{where} has too many values: allowed are {MOST_STEPS:,}.")
    numbers = tuple(sweep.range())
    return Steps(numbers, sweep.step) if len(numbers) > 1 else None


def _listed(override: Override) -> list[Any]:
    try:
        # A copy that is not shuffled: the axis itself shuffles.
        sweep = override.value()
        found = sweep.list if isinstance(sweep, ChoiceSweep) else override.sweep_iterator()
        values = [_plain(value) for value in found]
    except HydraException as error:
        raise user_error(f"{override.input_line} cannot be listed: {error}.") from error
    if not values:
        raise user_error(f"{override.input_line} has no value: allowed is one or more.")
    for value in values:
        if not is_plain(value):
            raise user_error(f"{override.input_line} cannot be swept over: {value} cannot be written as an override.")
    return values


def _plain(value: Any) -> Any:
    """A parsed value without Hydra's quotation marks."""
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(element) for key, element in value.items()}
    return value
