"""A small table of plain values, from which a tracker draws a figure."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows of plain cells; a cell {"image": path} is a picture.

    Args:
        chart: precision_recall, confusion or bars: also drawn so by a tracker that can; None for the table alone.
    """

    columns: list[str]
    rows: list[list[Any]]
    chart: str | None = None
