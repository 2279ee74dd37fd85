"""In which file, and where in it, the spectra of a catalog's rows are."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from spectral.data.readers.columns import among
from spectral.data.readers.survey_files.file_tree import FileTree
from spectral.data.readers.survey_files.layout import Layout
from spectral.data.readers.survey_files.scan import stem
from spectral.errors import UserError


@dataclass(frozen=True)
class Places:
    """What each row of a catalog says of its spectrum's place.

    Args:
        files: names, with or without folders and ending.
        rows: positions in these files.
        ids: of the spectra, as the survey makes them of the same columns; None if it does not.
    """

    files: list[str]
    rows: list[int]
    ids: list[str] | None


def places_of(layout: Layout, file_key: str | None, table: pd.DataFrame, named: str) -> Places | None:
    """The places of a catalog's rows, by its columns; None if they do not tell.

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
    told = bool(keys) and len(keys) == len(layout.file_name_columns)
    row_in_file: Any = getattr(layout, "row_in_file", None)
    spectrum_id: Any = getattr(layout, "spectrum_id", None)
    if not told and (file_key is None or row_in_file):  # with many in a file, its name does not say which one is meant
        return None
    values = [*zip(*(table[key].to_list() for key in keys), strict=True)] if told else [()] * len(table)
    if file_key is None:
        files = [_made(layout.file_name, v) or "" for v in values]
    else:
        files = table[file_key].map(str).to_list()
    rows = [_made(row_in_file, v) or 0 for v in values] if row_in_file else [0] * len(files)
    ids = [_made(spectrum_id, v) or "" for v in values] if told and spectrum_id else None
    return Places(files, rows, ids)


def _made(make: Any, values: tuple[Any, ...]) -> Any:
    """What a layout makes of a row's values; None if one of them is missing or no number."""
    try:
        return make(*values)
    except (TypeError, ValueError, OverflowError):
        return None


class FileFinder:
    """Finds files of a tree by their names: as they are below its root, as full paths, or without folders or ending."""

    def __init__(self, tree: FileTree, endings: Sequence[str]) -> None:
        self._root, self._endings = f"{os.path.abspath(tree.root)}/", endings  # noqa: PTH100  # resolves no link
        self._names = set(tree.names)
        self._by_stem: dict[str, str | None] = {}  # None: several files have it
        for name in tree.names:
            base = stem(name, endings)
            self._by_stem[base] = None if base in self._by_stem else name

    def find(self, name: str) -> str | None:
        """The name below the root, or None if there is no such file or several are."""
        name = name.strip()
        below = name.removeprefix(self._root).removeprefix("./")
        if below in self._names:
            return below
        return self._by_stem.get(stem(Path(name).name, self._endings))

    def problem(self, name: str) -> str:
        """Why a name is not found."""
        several = stem(Path(name).name, self._endings) in self._by_stem
        return f"several files of this name: {name}" if several else f"missing file: {name}"
