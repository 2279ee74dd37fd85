"""A table in the terminal: ruled lines and colours for a person, plain aligned lines for whatever reads a pipe."""

import sys
from collections.abc import Sequence


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """Args:
    columns: headings; one that begins with a space is a column of numbers, aligned to the right.
    rows: a cell for each column.
    title: above the table.
    """
    if sys.stdout.isatty():
        _print_rich(columns, rows, title)
    else:
        print("\n".join(([title] if title else []) + plain_lines(columns, rows)))


def plain_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The heading and the rows, columns two spaces apart."""
    table = [[column.strip() for column in columns], *rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    return ["  ".join(_aligned(*cell) for cell in zip(line, widths, columns, strict=True)).rstrip() for line in table]


def _aligned(text: str, width: int, column: str) -> str:
    return text.rjust(width) if column.startswith(" ") else text.ljust(width)


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.strip(), justify="right" if column.startswith(" ") else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
