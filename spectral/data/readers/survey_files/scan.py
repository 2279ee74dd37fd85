"""What the headers of a survey's files say, read once by several processes."""

import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pandas as pd

from spectral.data.packing.workers import UNGUARDED, leave_ending_to_parent
from spectral.data.readers.columns import nullable_integers, plain_integers
from spectral.data.readers.survey_files.file_tree import FileTree
from spectral.data.readers.survey_files.layout import Entry, Layout, UnreadableError
from spectral.errors import UserError
from spectral.processes import num_cores

log = logging.getLogger(__name__)

FILE, ROW_IN_FILE, PROBLEM = "file", "row_in_file", "problem"
UNREADABLE = "unreadable file"  # how the reason begins if the system does not give a file out, which may pass
FILES_PER_TASK = 256
FEW = 2000  # files that are read sooner than processes start
INT64_MAX = 2**63 - 1
NULLABLE = (pd.Int64Dtype, pd.UInt64Dtype)


def scan_headers(layout: Layout, tree: FileTree, num_workers: int | None) -> pd.DataFrame:
    """What all files say of their spectra, one row per spectrum in the order of files.

    Args:
        num_workers: processes; None: one per core.

    Returns:
        The columns of the layout's entries, `file`, `row_in_file`, and `problem`: the reason why a file cannot be
        read, which then has one row, or missing.

    Raises:
        UserError: a process was killed or cannot start.
    """
    names, frames = tree.names, list[pd.DataFrame]()
    if len(names) >= FEW:
        log.info("Reading the headers of %s files.", f"{len(names):,}")
    for number, some in enumerate(_scanned(layout, tree.root, names, num_workers), 1):
        frames.append(some)
        if number % max(1, len(names) // FILES_PER_TASK // 10) == 0 and len(names) >= FEW:
            log.info("Read %s of %s headers.", f"{min(number * FILES_PER_TASK, len(names)):,}", f"{len(names):,}")
    frame = _joined(frames)
    for column in ("label", PROBLEM):
        if column not in frame:
            frame[column] = None
    return frame


def _scanned(layout: Layout, root: Path, names: Sequence[str], num_workers: int | None) -> Iterator[pd.DataFrame]:
    tasks = [names[start : start + FILES_PER_TASK] for start in range(0, len(names), FILES_PER_TASK)]
    read = partial(_scan_files, layout, root)
    num_workers = min(num_workers or num_cores(), len(tasks))
    if len(names) < FEW or num_workers == 1:
        yield from map(read, tasks)
        return
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(num_workers, context, leave_ending_to_parent) as pool:
            yield from pool.map(read, tasks)
    except BrokenProcessPool as error:
        raise UserError(f"A process that reads headers was killed or could not start: {UNGUARDED}") from error


def _scan_files(layout: Layout, root: Path, names: Sequence[str]) -> pd.DataFrame:
    """A table for each task: rows as dicts would take ten times the memory in a survey of millions of spectra."""
    return _table([entry for name in names for entry in _scan_file(layout, root, name)])


def _table(entries: list[Entry]) -> pd.DataFrame:
    """A row for each entry. Whole numbers stay exact if some entries, such as that of a damaged file, have none."""
    table = pd.DataFrame(entries)
    for name in table.columns[table.isna().any()]:
        values = pd.Series([entry.get(name) for entry in entries], dtype=object)
        if pd.api.types.infer_dtype(values, skipna=True) == "integer":
            table[name] = values.astype("UInt64" if values.dropna().max() > INT64_MAX else "Int64")
    return table


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all tables. Whole numbers stay exact in a column that some of the tables lack."""
    joined = pd.concat(map(nullable_integers, tables), ignore_index=True).infer_objects()
    kinds = {str(name): kind for name, kind in joined.dtypes.items()}
    mixed = [name for name, kind in kinds.items() if isinstance(kind, pd.Float64Dtype)]  # whole in some tables alone
    whole = [name for name, kind in kinds.items() if isinstance(kind, NULLABLE)]
    return plain_integers(joined.astype(dict.fromkeys(mixed, "float64")), whole)


def _scan_file(layout: Layout, root: Path, name: str) -> list[Entry]:
    try:
        entries = layout.entries(root / name)
        if not entries:
            raise UnreadableError("no spectra")
        return [{**entry, FILE: name, ROW_IN_FILE: i} for i, entry in enumerate(entries)]
    except UnreadableError as error:
        problem = error.in_file(name)
    except OSError as error:
        problem = f"{UNREADABLE}: {name}: {error.strerror}"
    return [{"id": stem(name, layout.endings), FILE: name, ROW_IN_FILE: 0, PROBLEM: problem}]


def is_unreadable(layout: Layout, root: Path, name: str) -> bool:
    """Whether the system does not give out what is needed of a file for the list."""
    try:
        layout.entries(root / name)
    except UnreadableError:
        return False
    except OSError:
        return True
    return False


def stem(name: str, endings: Sequence[str]) -> str:
    """A file's name without its folders and its ending."""
    base = name.rpartition("/")[2]
    ending = max((e for e in endings if base.lower().endswith(e)), key=len, default="")
    return base[: len(base) - len(ending)]
