"""Numbers and times as a reader wants them."""

import math
from typing import Any


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


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours >= 48:
        return f"{hours // 24} days {hours % 24} h"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02.0f} s" if minutes else f"{rest:.1f} s"


def several(num: int, thing: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{num:,} {thing}" + ("" if num == 1 else "s")
