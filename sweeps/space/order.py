"""Order axes so that each comes after those that its condition names."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from sweeps.errors import nearest, user_error
from sweeps.space.axis import Axis


def by_dependence(axes: Mapping[str, Axis]) -> list[Axis]:
    """The axes in their given order, as far as their conditions allow.

    Raises:
        UserError: a condition names no axis, or conditions depend on one another in a circle.
    """
    for axis in axes.values():
        for name in axis.when.allowed:
            if name not in axes:
                where = f"sweep.space.{axis.name}.when"
                raise user_error(f"{where} names {name}, which is neither searched nor fixed: {nearest(name, axes)}.")
    sorter = TopologicalSorter({name: axis.when.allowed for name, axis in axes.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise user_error(
            f"sweep.space has conditions in a circle: {' needs '.join(reversed(error.args[1]))}."
        ) from error
    ordered: list[Axis] = []
    while len(ordered) < len(axes):
        done = {axis.name for axis in ordered}
        ordered.append(next(a for a in axes.values() if a.name not in done and done >= a.when.allowed.keys()))
    return ordered


def check_conditions(axes: Mapping[str, Axis]) -> None:
    """Raise UserError for a condition on a value that its axis cannot have, which is usually a spelling mistake."""
    for axis in axes.values():
        for name, allowed in axis.when.allowed.items():
            for value in allowed:
                if name in axes and not axes[name].among([value]):
                    where = f"sweep.space.{axis.name}.when.{name}"
                    raise user_error(f"{where}={value} never holds: {name} is {axes[name].domain}.")
