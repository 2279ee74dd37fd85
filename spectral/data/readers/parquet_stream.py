"""Rows of a Parquet file by number, read forwards in small batches.

A row group may hold a whole survey (pandas writes one a million rows), so rows are never read a row group at a time.
Going forwards costs nothing twice; going back starts again at the row's group.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

RowsOf = Callable[[pa.RecordBatch], list[Any]]

ROWS_PER_BATCH = 256
BUFFER_BYTES = 2**26  # shared by the columns


class ParquetStream:
    """The spectra of a file, at the last place where they were read.

    Args:
        path: the file.
        columns: those that spectra are in.
        rows_of: makes of a batch of these columns its spectra, or in place of one the reason why there is none.
    """

    def __init__(self, path: Path, columns: Sequence[str], rows_of: RowsOf) -> None:
        buffer_bytes = int(np.clip(BUFFER_BYTES // len(columns), 2**12, 2**20))
        self.file = parquet.ParquetFile(path, buffer_size=buffer_bytes, pre_buffer=False)
        self.columns = list(columns)
        self.rows_of = rows_of
        sizes = [self.file.metadata.row_group(group).num_rows for group in range(self.file.num_row_groups)]
        self.group_starts = np.concatenate([[0], np.cumsum(sizes)])
        self.batches = self._batches_from(0)
        self.start = self.end = 0  # file rows that `spectra` holds
        self.spectra: list[Any] = []

    def spectrum(self, row: int) -> Any:
        """What `rows_of` made of a row. Raises StopIteration if the file has no such row."""
        if not self.start <= row < self.end:
            self._advance(row)
        return self.spectra[row - self.start]

    def _batches_from(self, group: int) -> Iterator[pa.RecordBatch]:
        groups = range(group, self.file.num_row_groups)
        batches: Iterator[pa.RecordBatch] = self.file.iter_batches(
            ROWS_PER_BATCH, groups, self.columns, use_threads=False
        )
        return batches

    def _advance(self, row: int) -> None:
        group = int(np.searchsorted(self.group_starts, row, side="right")) - 1
        if row < self.start or self.group_starts[group] > self.end:
            self.batches, self.end = self._batches_from(group), int(self.group_starts[group])
        while row >= self.end:
            batch = next(self.batches)
            self.start = self.end = self.end + batch.num_rows  # no row is held while rows_of may raise
        self.spectra = self.rows_of(batch)
        self.start -= batch.num_rows


@lru_cache(maxsize=6)  # flux, ivar and mask of two files
def parquet_stream(path: Path, columns: tuple[str, ...], rows_of: RowsOf, mtime_ns: int) -> ParquetStream:
    """One stream per process, which resumes from where it was; mtime_ns shows whether the file was rewritten."""
    return ParquetStream(path, columns, rows_of)
