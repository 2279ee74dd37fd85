"""Parquet tables: a list column of flux, or one column a pixel."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet, types

from spectral.data.readers.arrays.parquet_rows import (
    channels_last_ivar_rows,
    channels_last_rows,
    ivar_rows,
    list_rows,
    mask_rows,
    wide_rows,
)
from spectral.data.readers.arrays.pixel_columns import most_alike, split_columns
from spectral.data.readers.arrays.table_file import TableFile
from spectral.data.readers.arrays.wave_axis import Axis, named_axis, warn_of_medium
from spectral.data.readers.columns import check_names, is_index, log_columns, tidy_catalog
from spectral.data.readers.contract import Chunk
from spectral.data.readers.fingerprints import join_stamps
from spectral.data.readers.parquet_stream import RowsOf, parquet_stream
from spectral.errors import UserError, nearest

log = logging.getLogger(__name__)

NUM_COMPARED = 100  # spectra that tell whether an ivar or mask is theirs
INDEX_PREFIX = "__"  # pandas names an unnamed index column so


@dataclass(frozen=True)
class ParquetReader(TableFile):
    """Reads lists [L] or [C][L] of flux, of any length, or one column per pixel [L].

    With options.channels_last lists are [L][C]. Next to flux in lists there may be lists of inverse variances, as flux,
    and of masks [L] (true: bad).
    """

    without_ivar: str | None = None  # why the column of the usual name is left out

    @cached_property
    def schema(self) -> pa.Schema:
        try:
            schema = parquet.read_schema(self.path)
        except (pa.ArrowException, OSError) as error:  # OSError: also of pyarrow, for a damaged file
            raise UserError(f"{self.source} is not a whole Parquet file.") from error
        schema = pa.schema([column for column in schema if not column.name.startswith(INDEX_PREFIX)])
        check_names(schema.names, self.source)
        return schema

    @property
    def _lists(self) -> list[str]:
        return [column.name for column in self.schema if _is_list(column.type)]

    @cached_property
    def list_column(self) -> str | None:
        """The column whose cells are spectra; None if each pixel has a column."""
        wanted = self.options.flux_key
        if (named := wanted or "flux") in self._lists:
            self._check_kind("flux", named)
        lists = [name for name in self._lists if name not in self.options.extra and not self._wrong_kind("flux", name)]
        if wanted is not None and wanted not in lists:
            raise UserError(f"{self.source} has no list column '{wanted}' (data.flux_key): {nearest(wanted, lists)}.")
        if wanted is None and len(lists) > 1 and "flux" not in lists:
            raise UserError(f"{self.source} has several list columns, choose by data.flux_key: {nearest('', lists)}.")
        if wanted is None and lists and "flux" not in lists:
            self._check_only_flux(lists[0])
        return wanted or ("flux" if "flux" in lists else next(iter(lists), None))

    def _check_only_flux(self, name: str) -> None:
        """Raise UserError if there are as many columns that may be pixels as numbers in the cells of a list column."""
        numbers = [column.name for column in self.schema if _is_number(column.type)]
        pixels = [numbers[position] for position in most_alike(numbers, range(len(numbers)))]
        if 0 < self._longest(name) <= len(pixels):
            raise UserError(
                f"{self.source} has lists of numbers in the column '{name}' and {len(pixels):,} columns of numbers, "
                f"{pixels[0]} to {pixels[-1]}: data.flux_key={name} takes the lists for flux, data.extra=[{name}] the "
                "columns."
            )

    def _longest(self, name: str) -> int:
        """Numbers in the longest of the first cells of a list column; 0 if it has none, or lists of channels."""
        if _is_list(self.schema.field(name).type.value_type):
            return 0
        try:
            first = next(parquet.ParquetFile(self.path).iter_batches(NUM_COMPARED, columns=[name]), None)
        except (pa.ArrowException, OSError):  # whoever reads the flux says so
            return 0
        return 0 if first is None else max(pc.list_value_length(first.column(0)).drop_null().to_pylist(), default=0)

    @cached_property
    def ivar_and_mask(self) -> dict[str, str]:
        """ivar, mask -> the list column that has it, as far as there is one; of the usual name only one that fits."""
        found, lists = {}, [name for name in self._lists if name != self.list_column]
        for part, wanted in self._ivar_mask_keys.items():
            if wanted is not None and wanted not in lists:
                raise UserError(
                    f"{self.source} has no list column '{wanted}' for data.{part}_key: {nearest(wanted, lists)}."
                )
            if wanted is not None:
                self._check_kind(part, wanted)
            is_out = part == "ivar" and self.without_ivar is not None
            usual = (name for name in lists if name.lower() == part and not is_out)
            if name := wanted or next((name for name in usual if self._fits(part, name)), None):
                found[part] = name
        return found

    @property
    def _ivar_mask_keys(self) -> dict[str, str | None]:
        return {"ivar": self.options.ivar_key, "mask": self.options.mask_key}

    def _check_kind(self, part: str, name: str) -> None:
        if kind := self._wrong_kind(part, name):
            raise UserError(f"The {part} in {self.source} are lists of {kind} in the column '{name}', not of numbers.")

    def _wrong_kind(self, part: str, name: str) -> pa.DataType | None:
        """What a list column holds, if that is no flux, ivar or mask."""
        kind = self.schema.field(name).type.value_type
        if part != "mask" and _is_list(kind):
            kind = kind.value_type
        is_taken = (
            _is_number(kind)
            or (part != "ivar" and types.is_boolean(kind))
            or (part == "flux" and types.is_decimal(kind))
        )
        return None if is_taken else kind

    def _fits(self, part: str, name: str) -> bool:
        """Whether a list column has the ivar or mask of at least half of the first spectra."""
        if self._wrong_kind(part, name):
            return False
        rows = np.arange(min(NUM_COMPARED, parquet.read_metadata(self.path).num_rows))
        flux, cells = self._cells("flux", self.columns[0], rows, {}), self._cells(part, [name], rows, {})
        pairs = [(spectrum, cell) for spectrum, cell in zip(flux, cells, strict=True) if spectrum is not None]
        first = 1 if part == "mask" else 0  # a mask has no channels
        num = sum(np.shape(cell) == spectrum.shape[first:] for spectrum, cell in pairs)
        return bool(2 * num >= len(pairs))

    @cached_property
    def columns(self) -> tuple[list[str], list[str]]:
        """Those of flux, and those of the catalog."""
        if self.list_column is not None:
            if self.options.flux_columns is not None:
                raise UserError(
                    f"data.flux_columns cannot go with {self.source}: its spectra are lists, in '{self.list_column}'."
                )
            plain = [column.name for column in self.schema if not types.is_nested(column.type)]
            return [self.list_column], [name for name in plain if not is_index(name)]
        names = [column.name for column in self.schema if not types.is_nested(column.type)]
        extra = tuple(name for name in self.options.extra if name in names or name not in self.schema.names)
        found = split_columns(names, replace(self.options, extra=extra), self.source)
        for position in found.pixels:
            if not _is_number(kind := self.schema.field(names[position]).type):
                raise UserError(
                    f"{self.source} has the column '{names[position]}' of {kind} "
                    f"where a pixel's numbers should be: name it in data.extra if it is no pixel."
                )
        return [names[position] for position in found.pixels], [names[position] for position in found.catalog]

    @property
    def pixel_names(self) -> list[str]:
        return self.columns[0] if self.list_column is None else []

    def catalog(self) -> pd.DataFrame:
        """Raises UserError for a file without flux or rows."""
        flux, names = self.columns
        try:
            table = parquet.read_table(self.path, columns=names).to_pandas(ignore_metadata=True, types_mapper=_exact)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise UserError(f"{self.source} cannot be read: {str(error).splitlines()[0].rstrip('.')}.") from error
        if not names:
            table = pd.DataFrame(index=range(parquet.read_metadata(self.path).num_rows))
        catalog = tidy_catalog(table, self.options.catalog_keys, self.source)
        self._check_channels()
        words = f"the lists in {flux[0]}" if self.list_column else f"{len(flux):,} columns {flux[0]} to {flux[-1]}"
        words = ", ".join([words, *(f"{part}: {name}" for part, name in self.ivar_and_mask.items())])
        log_columns(self.source, self._other_names, catalog, self.options.catalog_keys, words)
        self._warn_of_left_out()
        return catalog

    def _warn_of_left_out(self) -> None:
        for name in self._other_names:
            if (
                (part := name.lower()) in self._ivar_mask_keys
                and name in self._lists
                and part not in self.ivar_and_mask
            ):
                reason = self.without_ivar if part == "ivar" else None
                log.warning(
                    "%s: the column '%s' is left out, since %s: data.%s_key=NAME names another.",
                    self.source,
                    name,
                    reason or "its cells do not fit the flux",
                    part,
                )

    @property
    def _other_names(self) -> list[str]:
        return [name for name in self.schema.names if name not in {*self.columns[0], *self.ivar_and_mask.values()}]

    def _check_channels(self) -> None:
        if self.options.channels_last and not self._are_nested:
            there = "a column for each pixel" if self.list_column is None else "lists [L]"
            raise UserError(f"data.channels_last=true needs lists [L][C]: {self.source} has {there}.")
        first = self.read(np.array([0])).flux[0]
        if first is not None and self.options.channels_last is None and first.shape[0] > first.shape[1]:
            raise UserError(
                f"{self.source} has {first.shape[0]} channels of {first.shape[1]} pixels in its first spectrum, since "
                "a cell is [C][L]: data.channels_last=true reads it as [L][C], false as it stands."
            )

    @property
    def _are_nested(self) -> bool:
        return self.list_column is not None and _is_list(self.schema.field(self.list_column).type.value_type)

    def fingerprint(self) -> str:
        # Earlier versions read such files as they stand, without these: what they packed is packed again.
        more = [*self.ivar_and_mask, *(["channels last"] if self.options.channels_last else [])]
        return join_stamps([super().fingerprint(), *more]) if more else super().fingerprint()

    @cached_property
    def axis(self) -> Axis | None:
        if self.list_column is None:
            return named_axis(self.pixel_names, self.options.wave_unit, self.options.wave_medium, self.source)
        if self.options.wave_unit:
            raise UserError(f"data.wave_unit={self.options.wave_unit} has no wavelengths: {self.source} holds lists.")
        warn_of_medium(self.options.wave_medium, self.source)
        return None

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        """Raises UserError for a file that is damaged inside: which of its rows are cannot be known."""
        chunk = Chunk(flux=[])
        if name := self.ivar_and_mask.get("ivar"):
            cells = self._cells("ivar", [name], rows, chunk.problems)
            chunk.ivar = [np.zeros((1, 0), np.float32) if cell is None else cell for cell in cells]
        if name := self.ivar_and_mask.get("mask"):
            cells = self._cells("mask", [name], rows, chunk.problems)
            chunk.mask = [np.zeros(0, bool) if cell is None else cell for cell in cells]
        flux = self._cells("flux", self.columns[0], rows, chunk.problems)
        chunk.flux = [None if position in chunk.problems else cell for position, cell in enumerate(flux)]
        return chunk

    def _cells(self, part: str, columns: Sequence[str], rows: NDArray[np.int64], problems: dict[int, str]) -> list[Any]:
        """What some rows have in some columns; None for one that has nothing there, and `problems` gets the reason."""
        try:
            stream = parquet_stream(self.path, tuple(columns), self._rows_of(part), self.path.stat().st_mtime_ns)
            cells = [stream.spectrum(int(row)) for row in rows]
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{self.source} cannot be read: {str(error).splitlines()[0].rstrip('.')}.") from error
        for position, cell in enumerate(cells):
            if cell is None:
                is_usual = part != "flux" and self._ivar_mask_keys[part] is None
                unread = f" (under another name, the column '{columns[0]}' is not read)" if is_usual else ""
                problems[position] = f"no {part}{unread}"
            elif isinstance(cell, str):
                problems[position] = cell if part == "flux" else f"{part} with {cell}"
        return [None if isinstance(cell, str) else cell for cell in cells]

    def _rows_of(self, part: str) -> RowsOf:
        if part == "mask":
            return mask_rows
        if part == "ivar":
            return channels_last_ivar_rows if self.options.channels_last else ivar_rows
        if self.list_column is None:
            return wide_rows
        return channels_last_rows if self.options.channels_last else list_rows


def _is_list(kind: pa.DataType) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _exact(kind: pa.DataType) -> Any:
    """pandas' type for whole numbers, missing ones among them: it would take floats, which lose those of 64 bits."""
    if not types.is_integer(kind):
        return None
    return pd.api.types.pandas_dtype(str(kind).replace("uint", "UInt").replace("int", "Int"))


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_floating(kind) or types.is_integer(kind))
