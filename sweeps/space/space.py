"""The search space of a sweep: axes from yaml and the command line, drawn by Optuna, and written as overrides."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hydra.core.config_loader import ConfigLoader

from sweeps.errors import nearest, user_error
from sweeps.space.axis import Axis, Condition
from sweeps.space.command_line import Argument, read_arguments
from sweeps.space.domains.choice import Choice, Fixed
from sweeps.space.domains.numbers import Steps
from sweeps.space.extremes import cover
from sweeps.space.order import by_dependence, check_conditions
from sweeps.space.read import read_axis
from sweeps.space.values import text

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

MOST_CONFIGURATIONS = 100_000


class Space:
    """The axes in the order in which they were given; in a grid the last one changes fastest.

    Args:
        axes: no two with the same name.
        common: overrides that every job gets and that are not axes.
        is_grid: whether all axes are finite and from the command line, so that every combination should be run.
        given: names of the axes whose values the command line gives.

    Raises:
        UserError: no configuration can meet a condition.
    """

    def __init__(
        self, axes: Sequence[Axis], common: Sequence[str] = (), is_grid: bool = False, given: Collection[str] = ()
    ) -> None:
        self.axes = {axis.name: axis for axis in axes}
        self.common = list(common)
        self.is_grid = is_grid
        self.given = given
        self.ordered = by_dependence(self.axes)
        """Each axis after those that its condition names."""

    @classmethod
    def read(
        cls, space: Mapping[str, Any] | None, arguments: Sequence[str] = (), config_loader: ConfigLoader | None = None
    ) -> "Space":
        """The space of a command.

        Args:
            space: `sweep.space`, resolved, in plain Python types; None if there is none.
            arguments: of the command line, without those for the sweep itself. One with several values is an axis, and
                replaces the values of an axis with the same key. One with a single value fixes the axis with its key;
                if there is no such axis, it goes into `common`.
            config_loader: gives the names in a config group, which `glob` needs.

        Raises:
            UserError: the space or an argument is not valid; the sentence names the first mistake.
        """
        if not isinstance(space, Mapping | None):
            raise user_error(
                f"sweep.space={space} has no keys: allowed is a mapping of override keys to what is searched."
            )
        axes: dict[str, Axis] = {}
        for key, node in (space or {}).items():
            axis = read_axis(key, node)
            if axis.name in axes:
                raise user_error(
                    f"sweep.space holds {axes[axis.name].key} and {key}, which are the same key: leave out one."
                )
            axes[axis.name] = axis
        # Checked before the command line fixes axes: a condition may then exclude a value that was possible.
        check_conditions(axes)
        given = read_arguments(arguments, config_loader)
        conditions = {name for axis in axes.values() for name in axis.when.allowed}
        common = []
        for argument in given:
            name = argument.key.lstrip("+")
            if argument.axis and (argument.is_swept or name in axes or name in conditions):
                axes[name] = replace(argument.axis, when=axes[name].when if name in axes else Condition())
            else:
                common.append(str(argument.override))
        names = {argument.key.lstrip("+") for argument in given} & axes.keys()
        axes |= {name: _without_met_condition(axes[name], axes) for name in names}
        return cls(list(axes.values()), common, is_grid=not space and _all_listed(given), given=names)

    @property
    def is_conditional(self) -> bool:
        """Whether some axis is searched only in a part of the configurations."""
        return any(axis.when.allowed for axis in self.axes.values())

    def suggest(self, trial: "BaseTrial") -> dict[str, Any]:
        """Draw a configuration: axis name -> value, for the axes that are searched. Helper parameters are left out."""
        values: dict[str, Any] = {}
        for axis in self.ordered:
            if axis.when.holds(values):
                values[axis.name] = axis.domain.suggest(trial, axis.name)
        return self.in_order(values)

    def overrides(self, values: Mapping[str, Any]) -> list[str]:
        """The overrides of a job in Hydra's syntax: `common`, then one per value."""
        return self.common + [self.axes[name].override(value) for name, value in values.items()]

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The Optuna parameters for which `suggest` gives these values, as `study.enqueue_trial` takes them.

        The sampler draws axes that are left out. One that a value needs by its condition is added, if only one value of
        it will do.

        Raises:
            UserError: a value outside the space.
        """
        params: dict[str, Any] = {}
        for name, value in values.items():
            given = f"{name}={text(value) if isinstance(value, Mapping) else value}"
            if name not in self.axes:
                raise user_error(
                    f"{given} cannot be enqueued, because it is not searched: {nearest(name, self.axes)}; "
                    "to enqueue nothing give sweep.enqueue=[]."
                )
            axis = self.axes[name]
            if not axis.domain.contains(value):
                raise user_error(
                    f"{given} cannot be enqueued, because it is outside the space: allowed is {axis.domain}; "
                    "to enqueue nothing give sweep.enqueue=[]."
                )
            if self._is_excluded(axis, values):
                raise user_error(
                    f"{given} cannot be enqueued, because sweep.space.{name}.when searches it only with "
                    f"{axis.when}; to enqueue nothing give sweep.enqueue=[]."
                )
            params |= axis.domain.params(name, value)
        for name, possible in self.needed(values).items():
            if len(possible) == 1:
                params |= self.axes[name].domain.params(name, possible[0])
        return params

    def needed(self, values: Mapping[str, Any]) -> dict[str, list[Any]]:
        """The possible values of each axis that these values leave out, but need by their conditions.

        What the only possible value of an axis needs is included.
        """
        known, found = dict(values), dict[str, list[Any]]()
        for axis in reversed(self.ordered):  # each before those that its condition names
            needing = [self.axes[name].when for name in known if axis.name in self.axes[name].when.allowed]
            if not needing or axis.name in known:
                continue
            possible = axis.among(needing[0].allowed[axis.name])
            possible = [v for v in possible if not any(when.is_ruled_out_by({axis.name: v}) for when in needing)]
            found[axis.name] = possible
            if len(possible) == 1:
                known[axis.name] = possible[0]
        return found

    def extremes(self, covered_by: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
        """A few configurations that, together with those of `covered_by`, contain every extreme of every axis."""
        return [self.in_order(values) for values in cover(self.ordered, covered_by)]

    @property
    def num_configurations(self) -> int | None:
        """The number of different configurations; None if they cannot be counted."""
        if any(axis.domain.size is None for axis in self.ordered):
            return None
        return self._count(0, {})

    def grid(self) -> list[dict[str, Any]]:
        """Every configuration once, in the order in which Hydra's own sweeper would run them.

        Raises:
            UserError: the values of an axis cannot be counted, or there are too many configurations.
        """
        for axis in self.ordered:
            if axis.domain.size is None:
                raise user_error(
                    f"{axis.name} cannot be part of a grid, because its values cannot be counted: it is {axis.domain}."
                )
        if (self.num_configurations or 0) > MOST_CONFIGURATIONS:
            raise user_error(
                f"the grid has {self.num_configurations} configurations: allowed are {MOST_CONFIGURATIONS}."
            )
        return list(self._combinations(0, {}))

    def signature(self, begun: Mapping[str, Mapping[str, Any]] = MappingProxyType({})) -> dict[str, Any]:
        """JSON to keep with a study; see `difference`.

        Args:
            begun: of the space that the study was begun with. Version 0.1 had no condition on an axis whose values the
                command line gives: it has none in such a study.
        """
        found = {name: self.axes[name].signature() for name in sorted(self.axes)}
        for name in self.given:
            if name in begun and "when" not in begun[name]:
                found[name].pop("when", None)
        return found

    def keep(self, signature: Mapping[str, Any]) -> None:
        """Keep storing values under the names that the study was begun with; `suggest` returns today's names.

        An axis that has no condition in the study keeps none.

        Args:
            signature: of the space that the study was begun with; except for names the same as `signature(begun)`.
        """
        for name, axis in self.axes.items():
            domain, when = axis.domain, axis.when if "when" in signature[name] else Condition()
            if isinstance(domain, Choice):
                domain = replace(domain, kept=tuple(signature[name]["values"]))
            self.axes[name] = replace(axis, domain=domain, when=when)
        self.ordered = by_dependence(self.axes)

    def in_order(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values in the order in which the axes were given."""
        return {name: values[name] for name in self.axes if name in values}

    def _is_excluded(self, axis: Axis, values: Mapping[str, Any]) -> bool:
        """Whether the known values exclude the axis."""
        fixed = {name: a.domain.value for name, a in self.axes.items() if isinstance(a.domain, Fixed)}
        return axis.when.is_ruled_out_by(fixed | dict(values))

    def _count(self, place: int, chosen: dict[str, Any]) -> int:
        """The number of configurations of the axes from index `place` on.

        Only axes that conditions name are counted value by value.
        """
        if place == len(self.ordered):
            return 1
        axis = self.ordered[place]
        if not axis.when.holds(chosen):
            return self._count(place + 1, chosen)
        if any(axis.name in other.when.allowed for other in self.ordered):
            return sum(self._count(place + 1, {**chosen, axis.name: value}) for value in axis.domain.values())
        return math.prod([axis.domain.size or 0, self._count(place + 1, chosen)])

    def _combinations(self, place: int, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if place == len(self.ordered):
            yield self.in_order(values)
            return
        axis = self.ordered[place]
        if not axis.when.holds(values):
            yield from self._combinations(place + 1, values)
            return
        for value in axis.in_grid_order():
            yield from self._combinations(place + 1, {**values, axis.name: value})


def _without_met_condition(axis: Axis, axes: Mapping[str, Axis]) -> Axis:
    """The axis without a condition that the command meets in every configuration: studies of 0.1 have none then."""
    fixed = {a.name: a.domain.value for a in axes.values() if isinstance(a.domain, Fixed) and not a.when.allowed}
    return replace(axis, when=Condition()) if axis.when.holds(fixed) else axis


def _all_listed(arguments: Sequence[Argument]) -> bool:
    domains = [argument.axis.domain for argument in arguments if argument.axis]
    return all(isinstance(domain, Choice | Steps | Fixed) for domain in domains)
