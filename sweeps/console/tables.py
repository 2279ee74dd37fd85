"""Print tables: with rules on a terminal, as plain aligned lines into a pipe or file."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    title: str | None = None,
    first_left_out: Sequence[str] = (),
) -> None:
    """Print a table.

    Args:
        columns: headings; one that begins with a space is a column of numbers, aligned to the right.
        rows: one cell for each column.
        title: above the table.
        first_left_out: headings of columns that are left out, in this order, until the table fits the terminal. A
            table with such columns has no cell wrapped, so that names can be copied.
    """
    if not sys.stdout.isatty():
        print("\n".join(([title] if title else []) + plain_lines(columns, rows)))
        return
    from rich.console import Console

    console = Console()
    for heading in first_left_out:
        if _ruled_width(columns, rows) > console.width:
            place = columns.index(heading)
            columns, rows = _without(columns, place), [_without(row, place) for row in rows]
    if first_left_out and _ruled_width(columns, rows) > console.width:
        # The terminal wraps long lines itself, and joins them again when they are copied.
        print("\n".join(plain_lines(columns, rows)))
    else:
        console.print(_ruled(columns, rows, title))


def plain_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The headings and the rows as lines, with columns two spaces apart."""
    table = [[column.strip() for column in columns], *rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    return ["  ".join(_aligned(*cell) for cell in zip(line, widths, columns, strict=True)).rstrip() for line in table]


def _aligned(text: str, width: int, column: str) -> str:
    return text.rjust(width) if column.startswith(" ") else text.ljust(width)


def _without(cells: Sequence[str], place: int) -> list[str]:
    return [*cells[:place], *cells[place + 1 :]]


def _ruled_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The width of the table in characters: a cell has a space on both sides and a rule after it."""
    from rich.cells import cell_len

    table = [[column.strip() for column in columns], *rows]
    return 1 + sum(max(cell_len(line[i]) for line in table) + 3 for i in range(len(columns)))


def _ruled(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.strip(), justify="right" if column.startswith(" ") else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
