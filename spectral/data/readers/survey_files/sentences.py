"""What is logged of a list of spectra as it is made: kept with the list, and logged again where it is read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from spectral.data.readers import columns
from spectral.data.readers.survey_files import listing

SENTENCES = "sentences"  # attribute of the list: pairs of level and text

log = logging.getLogger(__name__)


class _Kept(logging.Handler):
    """Keeps what is logged, as JSON values."""

    def __init__(self) -> None:
        super().__init__()
        self.sentences: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append((record.levelno, record.getMessage()))


@contextmanager
def kept_sentences() -> Iterator[list[tuple[int, str]]]:
    """Collect what making a list says of its columns, files and rows; levels that are not logged are left out."""
    handler = _Kept()
    loggers = (columns.log, listing.log)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield handler.sentences
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def log_kept(frame: pd.DataFrame) -> None:
    """Log what was kept with a list; one of an earlier version has nothing."""
    for level, sentence in frame.attrs.get(SENTENCES, []):
        log.log(level, "%s", sentence)
