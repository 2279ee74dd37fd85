"""A few configurations that together contain every extreme of every axis.

For each one a config is composed, which is slow for a new choice of config groups. So they share their choices.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.space.axis import Axis
from sweeps.space.domains.choice import Fixed
from sweeps.space.values import canonical, comparable


def cover(ordered: Sequence[Axis], covered_by: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Configurations that, together with those of `covered_by`, contain every extreme that can be reached.

    Args:
        ordered: axes, each after those that its condition names.
        covered_by: whole configurations whose extremes need not be contained; they are not returned.
    """
    wanted = [(axis, value) for axis in ordered for value in axis.domain.extremes()]
    covered = {_mark(a, values[a.name]) for values in covered_by for a in ordered if a.name in values}
    configurations: list[Mapping[str, Any]] = list(covered_by)
    found: list[dict[str, Any]] = []
    for axis, value in wanted:
        chosen = alone(axis, value, ordered)
        if _mark(axis, value) in covered or chosen is None:
            continue
        alike = _alike({name: v for name, v in chosen.items() if name != axis.name}, configurations)
        configuration = _completed(chosen, alike, ordered, covered)
        covered |= {_mark(a, configuration[a.name]) for a in ordered if a.name in configuration}
        configurations.append(configuration)
        found.append(configuration)
    return found if configurations else [_completed({}, {}, ordered, covered)]


def alone(axis: Axis, value: Any, ordered: Sequence[Axis]) -> dict[str, Any] | None:
    """The smallest configuration with a value: the axes of its condition, and fixed axes. None if unreachable."""
    axes, chosen, open_axes = {a.name: a for a in ordered}, {axis.name: value}, [axis]
    while open_axes:
        for name, allowed in open_axes.pop().when.allowed.items():
            reachable = axes[name].among(allowed)
            if name in chosen and comparable(chosen[name]) in map(comparable, reachable):
                continue
            if name in chosen or not reachable:
                return None
            chosen[name] = reachable[0]
            open_axes.append(axes[name])
    for other in ordered:
        if isinstance(other.domain, Fixed) and other.when.holds(chosen):
            chosen.setdefault(other.name, other.domain.value)
    return {a.name: chosen[a.name] for a in ordered if a.name in chosen}


def completions(values: Mapping[str, Any], ordered: Sequence[Axis]) -> list[dict[str, Any]]:
    """Configurations with these values, and other axes at their first extremes, at their last ones, or left out.

    Only one configuration if the values leave no other axis open.
    """
    needed: dict[str, Any] = {}
    for axis in ordered:
        if axis.name in values:
            needed |= alone(axis, values[axis.name], ordered) or {}
    needed |= values
    first = _completed(needed, {}, ordered, set())
    if first.keys() == needed.keys():
        return [first]
    last = _completed(needed, {axis.name: axis.domain.extremes()[-1] for axis in ordered}, ordered, _all_marks(ordered))
    return [first, last, {axis.name: needed[axis.name] for axis in ordered if axis.name in needed}]


def _all_marks(ordered: Sequence[Axis]) -> set[tuple[str, str]]:
    return {_mark(axis, value) for axis in ordered for value in axis.domain.extremes()}


def _alike(needed: Mapping[str, Any], configurations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The first configuration that has the needed values; empty if there is none."""
    wanted = {name: canonical(value) for name, value in needed.items()}
    fitting = (c for c in configurations if all(name in c and canonical(c[name]) == wanted[name] for name in wanted))
    return next(fitting, {})


def _completed(
    chosen: Mapping[str, Any], alike: Mapping[str, Any], ordered: Sequence[Axis], covered: set[tuple[str, str]]
) -> dict[str, Any]:
    """The chosen values, completed by all axes that are allowed with them.

    Each other axis is at an extreme not yet covered, else as in the configuration `alike`, else at its first extreme.
    """
    values: dict[str, Any] = {}
    for axis in ordered:
        if axis.name in chosen:
            values[axis.name] = chosen[axis.name]
        elif axis.when.holds(values):
            extremes = axis.domain.extremes()
            usual = alike.get(axis.name, extremes[0])
            values[axis.name] = next((v for v in extremes if _mark(axis, v) not in covered), usual)
    return values


def _mark(axis: Axis, value: Any) -> tuple[str, str]:
    return axis.name, canonical(value)
