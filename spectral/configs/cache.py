"""Checked configs are remembered: those of a sweep are alike but for a few values, and a check takes milliseconds."""

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_KEPT = 256


@dataclass(frozen=True)
class _Arguments:
    """Compared by what stands in them: lists and mappings have no hash, and 1 is not 1.0 to a type's check."""

    text: str
    values: tuple[Any, ...] = field(compare=False)


def remembered(check: Callable[..., Any]) -> Callable[..., Any]:
    """Have a function of plain values called once for equal ones.

    Plain values are what YAML holds, and lists and mappings of them. What the function returns is copied for each
    caller; what it raises is not kept.
    """

    @functools.lru_cache(MAX_KEPT)
    def kept(arguments: _Arguments) -> Any:
        return check(*arguments.values)

    @functools.wraps(check)
    def checked(*values: Any) -> Any:
        return copy.deepcopy(kept(_Arguments(repr(values), values)))

    return checked
