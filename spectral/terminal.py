"""What is drawn on the terminal, by rich: tables, colours, live displays. Every console of the product is made here."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.file_proxy import FileProxy
from rich.segment import Segment

from spectral.control_characters import PrintableStream, printable

WIDEST = 100_000  # columns of what is no terminal: its lines may be of any length


class Terminal(Console):
    """A console whose own colours and movements reach the terminal; control characters of what is shown do not.

    Args:
        options: of rich.console.Console. Into a pipe or file, without a width, no line is wrapped and no table is cut.
    """

    def __init__(self, **options: Any) -> None:
        if Console().is_jupyter:
            # A notebook is no terminal, and rich would hand it the text past a stdout that is redirected.
            options = {"force_jupyter": False, "force_terminal": False} | options
        super().__init__(**options)
        if not self.is_terminal and options.get("width") is None:
            self.width = WIDEST

    def say(self, line: str) -> None:
        """Print plain text as one line, which a path in it keeps whole."""
        self.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    @property
    def file(self) -> IO[str]:
        return _innermost(super().file)

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file


@contextmanager
def printed_above(console: Console) -> Iterator[None]:
    """In the block, what is printed or logged appears above the live drawing of a console. Files are not redirected."""
    streams: list[Any] = [sys.stdout, sys.stderr]
    moved = [(s, s.target) for s in streams if isinstance(s, PrintableStream) and s.isatty()]
    for stream, target in moved:
        stream.target = FileProxy(console, target)
    try:
        yield
    finally:
        for stream, target in moved:
            stream.flush()
            stream.target = target


def _innermost(file: Any) -> IO[str]:
    """The stream itself, without what cleans it and without what prints above a drawing."""
    while isinstance(file, PrintableStream | FileProxy):
        file = file.target if isinstance(file, PrintableStream) else file.rich_proxied_file
    innermost: IO[str] = file
    return innermost
