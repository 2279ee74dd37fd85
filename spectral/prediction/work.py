"""The unfinished work on a catalog of predictions: parts of it, in a hidden folder next to the file that they become.

Next to `NAME` is `.NAME.<digest of the plan>.parts` with `spectra.parquet` (the catalog of the data, one row group per
part) and one file per part. Any number of processes, on any machines that share the folder, may make parts: each
appears as a whole, and a process that makes one a second time writes the same. `.NAME.lock` is held while the catalog
is listed and while the parts are joined.
"""

import hashlib
import json
import logging
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from spectral.data.packing.parts import Span
from spectral.errors import UserError
from spectral.files import remove_left_parts, write_json, writing

log = logging.getLogger(__name__)

OF_THE_PACK = ("class_index", "length")  # columns that are not the source's
REPEATED = b"repeated_id"  # in the metadata of spectra.parquet
REPLACED = "replaced.json"  # the file that may be replaced, if there is one


@dataclass(frozen=True)
class Part:
    """Some consecutive rows as they were classified. n rows, K classes.

    Args:
        probabilities: [n, K] as the network gives them, NaN in rows that could not be classified.
        problems: position of such a row -> why.
    """

    probabilities: NDArray[np.float64]
    problems: dict[int, str]


class Work:
    """The parts of one catalog.

    Args:
        out: the file that is made of them.
        plan: all that decides over the numbers in the parts, as JSON values, with `rows_per_part`.
    """

    def __init__(self, out: Path, plan: Mapping[str, Any]) -> None:
        self.out, self.plan, self.rows_per_part = out, dict(plan), int(plan["rows_per_part"])
        digest = hashlib.blake2b(json.dumps(self.plan, sort_keys=True).encode(), digest_size=6).hexdigest()
        self.folder = out.parent / f".{out.name}.{digest}.parts"
        self.spectra = self.folder / "spectra.parquet"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time list the catalog or join the parts; the others wait, and say so.

        What a killed process has left of the file, which may be as large as the file, is removed.
        """
        self.out.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.out.parent / f".{self.out.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("Another process lists the spectra for %s or joins its parts: waiting for it.", self.out)
            lock.acquire()
        try:
            remove_left_parts(self.out.parent, name=f"{self.out.name}.")
            yield
        finally:
            lock.release()

    def list_spectra(self, tables: Iterable[pa.Table]) -> None:
        """Write the catalog of the data, unless it is there. The lock is held.

        An id that is there twice is no reason to stop, since each row keeps its own; it is noted.
        """
        if self.spectra.exists():
            return
        hashes: list[NDArray[np.uint64]] = []
        with writing(self.spectra) as file:
            writer: Any = None
            for table in _of_equal_length(tables, self.rows_per_part):
                writer = writer or pq.ParquetWriter(file, table.schema)
                writer.write_table(table.cast(writer.schema), row_group_size=self.rows_per_part)
                hashes.append(pd.util.hash_array(table["id"].to_numpy()))
            values = np.concatenate(hashes)
            hashes.clear()
            values.sort()  # in place, and not np.unique: the list of a large survey would be in memory several times
            repeated = {REPEATED: json.dumps([int(value) for value in values[1:][values[1:] == values[:-1]][:1]])}
            writer.add_key_value_metadata(repeated)
            writer.close()

    @cached_property
    def spans(self) -> list[Span]:
        """The rows of each part, in order; known once the spectra are listed."""
        num = int(pq.read_metadata(self.spectra).num_rows)
        return [(at, min(at + self.rows_per_part, num)) for at in range(0, num, self.rows_per_part)]

    @property
    def num_rows(self) -> int:
        return self.spans[-1][1]

    def schema(self) -> pa.Schema:
        """The columns of the data's catalog."""
        schema = pq.read_schema(self.spectra)
        return pa.schema([field for field in schema if field.name not in OF_THE_PACK])

    def catalog(self, columns: list[str]) -> Iterator[pa.Table]:
        """Some columns of the data's catalog, part by part."""
        with pq.ParquetFile(self.spectra) as file:
            for number in range(file.num_row_groups):
                yield file.read_row_group(number, columns=columns).select(columns)

    def id_of(self, row: int) -> str:
        with pq.ParquetFile(self.spectra) as file:
            ids = file.read_row_group(row // self.rows_per_part, columns=["id"])["id"]
        return str(ids[row % self.rows_per_part])

    def repeated_id(self) -> str | None:
        """An id that two spectra have; None if there is none."""
        found = json.loads(pq.read_metadata(self.spectra).metadata[REPEATED])
        for table in self.catalog(["id"]) if found else ():
            ids = table["id"].to_numpy()
            if len(alike := np.flatnonzero(pd.util.hash_array(ids) == np.uint64(found[0]))):
                return str(ids[alike[0]])
        return None

    def path(self, span: Span) -> Path:
        return self.folder / f"rows-{span[0]:09d}-{span[1]:09d}.npz"

    def is_done(self, span: Span) -> bool:
        return self.path(span).exists()

    def num_done(self) -> int:
        """Rows whose parts are made."""
        found = [re.fullmatch(r"rows-(\d+)-(\d+)\.npz", path.name) for path in self.folder.glob("rows-*.npz")]
        return sum(int(name[2]) - int(name[1]) for name in found if name)

    def write(self, span: Span, part: Part) -> None:
        problems = {
            "rows": np.array([*part.problems], np.int64),
            "reasons": np.array([*part.problems.values()], np.str_),
        }
        with writing(self.path(span)) as file:
            np.savez(file, allow_pickle=False, probabilities=part.probabilities, **problems)

    def read(self, span: Span) -> Part:
        """Raises UserError if the file is damaged, which removes it."""
        path = self.path(span)
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                reasons = dict(zip(file["rows"].tolist(), file["reasons"].tolist(), strict=True))
                return Part(file["probabilities"], reasons)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            path.unlink(missing_ok=True)
            raise UserError(f"{path} is damaged and was removed: the same command makes it again.") from error

    def allow_replacing(self) -> None:
        """Keep that the file which is there now may be replaced: shards and a command that resumes need not say so."""
        if (there := self._there()) is not None:
            write_json(self.folder / REPLACED, there)

    def may_replace(self) -> bool:
        """Whether the file that is there may be replaced, since a command has said so and it is still the same."""
        try:
            stored = json.loads((self.folder / REPLACED).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return bool(stored == self._there())

    def _there(self) -> dict[str, int] | None:
        """What tells the file that is there from another; None if there is none."""
        try:
            found = self.out.stat()
        except FileNotFoundError:
            return None
        return {"num_bytes": found.st_size, "mtime_ns": found.st_mtime_ns}

    def is_whole(self) -> bool:
        """Whether all parts are made. Without the list of spectra they are not: another process has joined them."""
        return self.spectra.exists() and all(map(self.is_done, self.spans))

    def remove(self) -> None:
        """Delete the parts."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _of_equal_length(tables: Iterable[pa.Table], num_rows: int) -> Iterator[pa.Table]:
    """The same rows in tables of `num_rows`, but for the last."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table if not waiting else table.cast(waiting[0].schema))
        while sum(map(len, waiting)) >= num_rows:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, num_rows).combine_chunks()
            waiting = [joined.slice(num_rows)]
    if sum(map(len, waiting)):
        yield pa.concat_tables(waiting)
