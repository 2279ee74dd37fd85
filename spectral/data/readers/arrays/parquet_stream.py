"""Rows of a Parquet file by number, read forwards in small batches.

A row group may hold a whole survey (pandas writes one a million rows), so rows are never read a row group at a time.
Going forwards costs nothing twice; going back starts again at the row's group.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from spectral.data.readers.arrays.parquet_rows import list_rows, wide_rows
from spectral.data.readers.contract import Flux

ROWS_PER_BATCH = 256
BUFFER_BYTES = 2**26  # shared by the columns


class ParquetStream:
    """The spectra of a file, at the last place where they were read.

    Args:
        path: the file.
        columns: a column of lists, or one column a pixel.
        are_lists: which of the two.
    """

    def __init__(self, path: Path, columns: Sequence[str], are_lists: bool) -> None:
        buffer_bytes = int(np.clip(BUFFER_BYTES // len(columns), 2**12, 2**20))
        self.file = parquet.ParquetFile(path, buffer_size=buffer_bytes, pre_buffer=False)
        self.columns = list(columns)
        self.rows_of = list_rows if are_lists else wide_rows
        sizes = [self.file.metadata.row_group(group).num_rows for group in range(self.file.num_row_groups)]
        self.group_starts = np.concatenate([[0], np.cumsum(sizes)])
        self.batches = self._batches_from(0)
        self.start = self.end = 0  # file rows that `spectra` holds
        self.spectra: list[Flux | str] = []

    def spectrum(self, row: int) -> Flux | str:
        """[C, L], or why there is none."""
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
            self.start, self.end = self.end, self.end + batch.num_rows
        self.spectra = self.rows_of(batch)


@lru_cache(maxsize=2)
def parquet_stream(path: Path, columns: tuple[str, ...], are_lists: bool, mtime_ns: int) -> ParquetStream:
    """One stream per process, which resumes from where it was; mtime_ns shows whether the file was rewritten."""
    return ParquetStream(path, columns, are_lists)
