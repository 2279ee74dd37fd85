"""Tables, by rich: with rules on a terminal, as plain aligned lines into a pipe or file."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Column:
    """A heading, and one cell per row.

    Args:
        is_number: aligned to the right.
        is_wrapped: may be wrapped in a table with rules that is too wide for the terminal.
    """

    heading: str
    cells: Sequence[str]
    is_number: bool = False
    is_wrapped: bool = False


def print_table(columns: Sequence[Column], title: str | None = None, first_left_out: Sequence[str] = ()) -> None:
    """Print a table.

    Args:
        title: above the table.
        first_left_out: headings of columns that are left out, in this order, until the table fits the terminal. If it
            still does not fit, it is printed as plain lines: the terminal wraps these itself, and joins them again when
            they are copied.
    """
    from spectral.terminal import Terminal

    console = Terminal()
    for heading in first_left_out:
        if console.is_terminal and width_of(columns) > console.width:
            columns = [column for column in columns if column.heading != heading]
    if console.is_terminal and not (first_left_out and width_of(columns) > console.width):
        console.print(ruled(columns, title))
    else:
        lines = ([title] if title else []) + plain_lines(columns)
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def ruled(columns: Sequence[Column], title: str | None = None) -> "Table":
    """A table with rules."""
    from rich.table import Table
    from rich.text import Text

    return _filled(Table(title=Text(title) if title else None, title_justify="left"), columns)


def plain_lines(columns: Sequence[Column]) -> list[str]:
    """The headings and the rows as lines of any length, with columns two spaces apart."""
    from rich.table import Table

    from spectral.terminal import Terminal

    lines = io.StringIO()
    Terminal(file=lines, color_system=None).print(
        _filled(Table(box=None, pad_edge=False, padding=(0, 2, 0, 0)), columns)
    )
    return [line.rstrip() for line in lines.getvalue().splitlines()]


def width_of(columns: Sequence[Column]) -> int:
    """The width of a table with rules, if nothing in it is wrapped."""
    from rich.measure import Measurement

    from spectral.terminal import Terminal

    console = Terminal(file=io.StringIO())
    return Measurement.get(console, console.options, ruled(columns)).maximum


def _filled(table: "Table", columns: Sequence[Column]) -> "Table":
    from rich.text import Text

    from spectral.control_characters import printable

    for column in columns:
        table.add_column(
            Text(printable(column.heading)),
            justify="right" if column.is_number else "left",
            no_wrap=not column.is_wrapped,
            overflow="fold",
        )
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table
