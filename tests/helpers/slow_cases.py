"""Cases of one behaviour of which the default suite runs a few."""

from collections.abc import Sequence
from typing import Any

import pytest


def slow_after(num: int, cases: Sequence[Any]) -> list[Any]:
    """Cases for `pytest.mark.parametrize`; those after the first `num`, which should differ most, are slow."""
    return [_case(case, is_slow=place >= num) for place, case in enumerate(cases)]


def _case(case: Any, *, is_slow: bool) -> Any:
    """A case with a value for each argument if it is a tuple, otherwise with one value."""
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.slow if is_slow else ())
