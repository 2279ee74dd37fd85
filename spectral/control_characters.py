"""Control characters in what is printed: names of spectra, classes and folders may hold commands to the terminal."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

# C0 but tab and newline, delete, C1, and the marks that turn the direction of the text round.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""The text with each control character but tab and newline as its escape, such as `\x1b`."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class PrintableStream:
    """A text stream that writes control characters as their escapes. All else is done by `target`, the stream within.

    `target` may be exchanged: what holds this stream, such as a log handler, then writes to the new one.
    """

    def __init__(self, target: Any) -> None:
        self.target = target

    def write(self, text: str) -> int:
        self.target.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "target":  # not there yet, while a copy is made
            raise AttributeError(name)
        return getattr(self.target, name)


class PrintableFileHandler(logging.FileHandler):
    """A log file without control characters, tracebacks included. Named in conf/hydra/job_logging/spectral.yaml."""

    def _open(self) -> Any:
        return PrintableStream(super()._open())


def make_output_printable() -> None:
    """Let no control character reach stdout and stderr, also from log handlers that write to them.

    Called at the start of every process that prints; a second call changes nothing. `spectral.terminal` draws below it.
    """
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None or isinstance(stream, PrintableStream):
            continue
        printing: Any = PrintableStream(stream)
        setattr(sys, name, printing)
        for handler in _handlers():
            if handler.stream is stream:
                handler.setStream(printing)


def _handlers() -> "list[logging.StreamHandler[Any]]":
    """The handlers of all loggers that write to a stream."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [handler for one in loggers if isinstance(one, logging.Logger) for handler in one.handlers]
    return [handler for handler in dict.fromkeys(handlers) if isinstance(handler, logging.StreamHandler)]
