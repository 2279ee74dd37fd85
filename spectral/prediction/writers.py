"""Tables of predictions, appended to one file: Parquet, CSV, the contest's CSV."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spectral.prediction.fits_table import FitsWriter

WHOLE_NUMBERS = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


class Writer(Protocol):
    def write(self, table: pa.Table) -> None:
        """Append the rows of a part."""
        ...

    def close(self) -> None: ...


class CsvWriter:
    """Numbers as pandas writes them, and nothing where a value is missing."""

    def __init__(self, file: BinaryIO, has_header: bool) -> None:
        self.file, self.has_header = file, has_header

    def write(self, table: pa.Table) -> None:
        # Whole numbers with missing ones among them would become floats.
        whole = table.to_pandas(types_mapper=WHOLE_NUMBERS.get)
        text = whole.to_csv(index=False, header=self.has_header)
        self.file.write(text.encode())
        self.has_header = False

    def close(self) -> None:
        pass


class ParquetWriter:
    """A row group for each part; `about` stands in the file's metadata under `spectral`."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, about: str) -> None:
        self.writer = pq.ParquetWriter(file, schema.with_metadata({"spectral": about}))

    def write(self, table: pa.Table) -> None:
        self.writer.write_table(table.cast(self.writer.schema))

    def close(self) -> None:
        self.writer.close()


@contextmanager
def open_writer(
    kind: str, file: BinaryIO, schema: pa.Schema, about: Mapping[str, str], tables: Iterable[pa.Table]
) -> Iterator[Writer]:
    """A writer to an open file.

    Args:
        kind: csv, probabilities, contest, parquet or fits.
        about: where the predictions come from.
        tables: the tables that will be written, which a FITS table must have seen before the first row.
    """
    writer: Writer
    if kind == "fits":
        writer = FitsWriter(file, schema, about, tables)
    elif kind == "parquet":
        writer = ParquetWriter(file, schema, json.dumps(about))
    else:
        writer = CsvWriter(file, has_header=kind != "contest")
    yield writer
    writer.close()
