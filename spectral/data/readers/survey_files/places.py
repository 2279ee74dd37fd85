"""In which file, and where in it, the spectra of a catalog's rows are. Columns of text are Arrow's: a catalog may have
millions of rows, and a Python string takes a hundred bytes."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spectral.data.readers.columns import among
from spectral.data.readers.survey_files.file_tree import FileTree
from spectral.data.readers.survey_files.layout import Layout
from spectral.errors import UserError

BLOCK = 2**14  # rows that are Python objects at a time
ABSENT, SEVERAL = -1, -2  # in place of a file's number, or of a position in it
LAST_ROW = 2**62


@dataclass(frozen=True)
class Places:
    """What each row of a catalog says of its spectrum's place.

    Args:
        files: names, with or without folders and ending.
        rows: positions in these files; below 0 if the columns give none.
        ids: of the spectra, as the survey makes them of the same columns; None if it does not.
    """

    files: pa.ChunkedArray
    rows: NDArray[np.int64]
    ids: pa.ChunkedArray | None


def places_of(layout: Layout, file_key: str | None, table: pd.DataFrame, named: str) -> Places | None:
    """The places of a catalog's rows, by its columns; None if they do not say.

    Args:
        file_key: the column that the user named for the names of files.
        named: option and file of the catalog, for the error sentence.

    Raises:
        UserError: there is no such column.
    """
    if file_key is not None and file_key not in table:
        raise UserError(f"{named} has no '{file_key}' (data.file_key): {among(file_key, map(str, table))}.")
    lower = {str(name).lower(): name for name in reversed(list(table.columns))}
    keys = [lower[name] for name in layout.file_name_columns if name in lower]
    are_there = bool(keys) and len(keys) == len(layout.file_name_columns)
    row_in_file: Any = getattr(layout, "row_in_file", None)
    spectrum_id: Any = getattr(layout, "spectrum_id", None)
    if not are_there and (file_key is None or row_in_file):  # of many spectra in a file its name does not say which
        return None
    values = [table[key] for key in keys] if are_there else []
    files = _text_made(layout.file_name, values) if file_key is None else text_column(table[file_key].map(str))
    rows = np.zeros(len(table), np.int64)
    if row_in_file:
        made = (_made(row_in_file, one) for block in _blocks(values) for one in block)
        rows = np.fromiter((ABSENT if row is None else min(row, LAST_ROW) for row in made), np.int64, len(table))
    ids = _text_made(spectrum_id, values) if are_there and spectrum_id else None
    return Places(files, rows, ids)


def text_column(texts: pd.Series) -> pa.ChunkedArray:
    """A column of text in Arrow's form."""
    column = pa.array(texts, pa.large_string())
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def as_series(texts: Any) -> pd.Series:
    """A column of text in pandas's form, which holds Arrow's."""
    return pd.Series(pd.array(texts, dtype="str"))


def _text_made(make: Any, columns: Sequence[pd.Series]) -> pa.ChunkedArray:
    blocks = (pa.array([_made(make, one) or "" for one in block], pa.large_string()) for block in _blocks(columns))
    return pa.chunked_array(blocks, pa.large_string())


def _blocks(columns: Sequence[pd.Series]) -> Iterator[Iterator[tuple[Any, ...]]]:
    """The values of some columns row by row."""
    for start in range(0, len(columns[0]), BLOCK):
        yield zip(*(column.iloc[start : start + BLOCK].to_list() for column in columns), strict=True)


def _made(make: Any, values: tuple[Any, ...]) -> Any:
    """What a layout makes of a row's values; None if one of them is missing or no number."""
    try:
        return make(*values)
    except (TypeError, ValueError, OverflowError):
        return None


class FileFinder:
    """Finds files of a tree by their names: as they are below its root, as full paths, or without folders or ending.

    A name with other folders than a file's is not that file's, even if the rest is the same: folders may be classes.
    """

    def __init__(self, tree: FileTree, endings: Sequence[str]) -> None:
        root = re.escape(f"{os.path.abspath(tree.root)}/")  # noqa: PTH100  # resolves no link
        self._before, self._endings = f"^({root})?(\\.{{1,2}}/)*", endings
        self.names = pa.array(tree.names, pa.large_string())
        self._stems = stems(self.names, endings)
        first = pc.index_in(self._stems, self._stems).to_numpy()
        self._is_unique = np.ones(len(first), bool)
        self._is_unique[first[first != np.arange(len(first))]] = False

    def find(self, names: pa.ChunkedArray) -> NDArray[np.int64]:
        """The number in `names` of each file; ABSENT if there is no such file, SEVERAL if there are several."""
        below = pc.replace_substring_regex(pc.utf8_trim_whitespace(names), self._before, "")
        exact, by_stem = _places_in(below, self.names), _places_in(stems(below, self._endings), self._stems)
        by_stem[(by_stem >= 0) & ~self._is_unique[by_stem]] = SEVERAL
        has_folder = pc.fill_null(pc.match_substring(below, "/"), False).to_numpy()
        doubtful = np.flatnonzero(has_folder & (exact < 0) & (by_stem >= 0))
        for start in range(0, len(doubtful), BLOCK):
            rows = doubtful[start : start + BLOCK]
            by_stem[rows[~self._are_ends(below.take(rows), by_stem[rows])]] = ABSENT
        return np.where(exact >= 0, exact, by_stem)

    def _are_ends(self, paths: pa.ChunkedArray, files: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each path is that of a file or its end, or the other way round; endings do not matter."""
        texts = (_without_ending(names, self._endings).to_pylist() for names in (paths, self.names.take(files)))
        pairs = ((f"/{path}", f"/{file}") for path, file in zip(*texts, strict=True))
        return np.array([path.endswith(file) or file.endswith(path) for path, file in pairs], bool)


def _places_in(texts: pa.ChunkedArray, known: pa.Array) -> NDArray[np.int64]:
    return pc.fill_null(pc.index_in(texts, known), ABSENT).to_numpy().astype(np.int64)  # type: ignore[no-any-return]  # pyarrow has no types


def stems(names: Any, endings: Sequence[str]) -> Any:
    """`stem` of each of a column of names."""
    return _without_ending(pc.replace_substring_regex(names, r"(?s)^.*/([^/])", r"\1"), endings)


def _without_ending(names: Any, endings: Sequence[str]) -> Any:
    any_ending = "|".join(re.escape(ending) for ending in sorted(endings, key=len, reverse=True))
    return pc.replace_substring_regex(names, f"(?i)({any_ending})$", "")
