"""Numbers and times as a reader wants them."""

import math
from typing import Any

from sweeps.results.trial_row import duration as duration  # templates have all words from here


def score(value: Any) -> str:
    """Four digits after the point; a dash for what is missing or not finite."""
    return f"{value:.4f}" if is_finite(value) else "-"


def is_finite(value: Any) -> bool:
    """Whether a value is a number, and neither infinite nor NaN."""
    return isinstance(value, int | float) and math.isfinite(value)


def interval(low: Any, high: Any) -> str:
    if low is None or high is None:
        return "-"
    return f"{score(low)} to {score(high)}"


def count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "-"


def several(num: int, thing: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{num:,} {thing}" + ("" if num == 1 else "s")
