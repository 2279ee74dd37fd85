"""Find the axes of a search that choose the data of its jobs."""

from collections.abc import Callable
from typing import Any

from hydra.errors import HydraException

from sweeps.errors import user_error_type
from sweeps.space.axis import Axis
from sweeps.space.domains.choice import Choice
from sweeps.space.extremes import alone
from sweeps.space.space import Space
from sweeps.space.values import canonical

DATA = "data"


def data_axes(space: Space, data_of: Callable[[list[str]], Any]) -> list[str]:
    """The axes of the group `data` and its options, and those of groups that bring data of their own.

    Args:
        data_of: gives the node `data` of a job's config, in plain types, for the job's overrides.
    """
    return [
        name for name, axis in space.axes.items() if name.split(".")[0] == DATA or _brings_data(space, axis, data_of)
    ]


def _brings_data(space: Space, axis: Axis, data_of: Callable[[list[str]], Any]) -> bool:
    if "." in axis.name or not isinstance(axis.domain, Choice):
        return False
    found = set()
    for value in axis.domain.options:
        least = alone(axis, value, space.ordered)
        try:
            found.add(canonical(data_of(space.overrides(least or {axis.name: value}))))
        except (HydraException, user_error_type()):  # a job with it says why
            continue
    return len(found) > 1
