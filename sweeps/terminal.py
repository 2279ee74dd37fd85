"""A live table on a terminal together with the log that goes to the same terminal."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.live import Live


@contextmanager
def log_above_live(live: "Live") -> Iterator[None]:
    """Show a live drawing while the block runs, with every line of the log above it.

    The drawing replaces sys.stdout and sys.stderr by files that print above it; handlers hold the ones from before.
    """
    before = (sys.stdout, sys.stderr)
    with live:
        now = (sys.stdout, sys.stderr)
        moved = [(handler, stream) for handler in _handlers() for stream in before if handler.stream is stream]
        for handler, stream in moved:
            handler.setStream(now[before.index(stream)])
        try:
            yield
        finally:
            for handler, stream in moved:
                handler.setStream(stream)


def _handlers() -> "list[logging.StreamHandler[Any]]":
    """Of all loggers, those that write to a stream."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = [handler for one in loggers if isinstance(one, logging.Logger) for handler in one.handlers]
    return [handler for handler in dict.fromkeys(handlers) if isinstance(handler, logging.StreamHandler)]
