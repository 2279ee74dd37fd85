"""The list of a survey's spectra, from a catalog or from the headers of all files."""

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from spectral.data.readers.columns import (
    NESTED,
    NUMBERED,
    SHORT_ID,
    as_text,
    find_columns,
    log_columns,
    nullable_integers,
    plain_integers,
    set_apart,
    shortened,
    tidy_catalog,
)
from spectral.data.readers.survey_files.catalog_flags import is_set, warnings_in
from spectral.data.readers.survey_files.catalog_table import read_catalog_table
from spectral.data.readers.survey_files.distinct_ids import with_distinct_ids
from spectral.data.readers.survey_files.file_tree import FileTree
from spectral.data.readers.survey_files.layout import Layout
from spectral.data.readers.survey_files.objects import groups_by_position
from spectral.data.readers.survey_files.places import (
    SEVERAL,
    FileFinder,
    Places,
    as_series,
    places_of,
    stems,
    text_column,
)
from spectral.data.readers.survey_files.scan import FILE, PROBLEM, ROW_IN_FILE, scan_headers, stem
from spectral.errors import UserError

log = logging.getLogger(__name__)

ROLES = ("id", "label", "group", "redshift", "snr")
POSITIONS = {
    "ra_deg": ("ra_deg", "ra", "ra_obs", "target_ra", "plug_ra"),
    "dec_deg": ("dec_deg", "dec", "dec_obs", "target_dec", "plug_dec"),
}
OWN = (FILE, ROW_IN_FILE, PROBLEM)
OWN_OF_CATALOG = {*OWN, SHORT_ID}
LEAST_REDSHIFT = -1.0  # a wavelength of 0; LAMOST writes -9999 where it knows none
PRIMARY = "zcat_primary"  # DESI's column for the best of an object's redshifts


@dataclass(frozen=True)
class Source:
    """Where a survey's files are and how the columns of its catalog are called: fields of SurveyFilesConfig."""

    folder: str
    catalog: str | None = None
    file_key: str | None = None
    id_key: str | None = None
    label_key: str | None = None
    group_key: str | None = None
    redshift_key: str | None = None
    snr_key: str | None = None
    class_map: tuple[tuple[str, str | None], ...] = ()
    class_names: tuple[str, ...] | None = None
    match_arcsec: float | None = 2.0
    zwarn_labels: bool = False


def list_spectra(layout: Layout, source: Source, tree: FileTree, num_workers: int | None) -> pd.DataFrame:
    """One row per spectrum: the columns of a reader's catalog, and `file`, `row_in_file` and `problem` (or missing).

    Raises:
        UserError: the catalog cannot be used, an id is there twice, or no row of the catalog has a file.
    """
    if source.catalog is None:
        frame = _of_headers(layout, source, tree, num_workers)
    else:
        frame = _of_catalog(layout, source, source.catalog, tree, num_workers)
    if "redshift" in frame and pd.api.types.is_numeric_dtype(frame["redshift"].dtype):
        frame["redshift"] = frame["redshift"].mask(frame["redshift"] <= LEAST_REDSHIFT)
    if "group" not in frame and source.match_arcsec and (where := _positions(frame)) is not None:
        frame["group"] = groups_by_position(*where, source.match_arcsec)
    return frame


def _of_headers(layout: Layout, source: Source, tree: FileTree, num_workers: int | None) -> pd.DataFrame:
    entries = with_distinct_ids(layout, scan_headers(layout, tree, num_workers), tree.root)
    given, named = _given(layout, source, entries.columns), f"data.folder={source.folder}"
    frame = tidy_catalog(entries, given, named)
    shown = [str(name) for name in entries if name not in OWN]
    log_columns(f"the headers of {named}", shown, frame, given)
    return frame


def _of_catalog(layout: Layout, source: Source, catalog: str, tree: FileTree, num_workers: int | None) -> pd.DataFrame:
    named = f"data.catalog={catalog}"
    keys = _given(layout, source, ()) | {"file_key": source.file_key}
    table = set_apart(read_catalog_table(catalog, keys), OWN_OF_CATALOG - {*keys.values()})
    columns, nested = table.columns, table.attrs.pop(NESTED, [])
    given = _given(layout, source, columns)
    places = places_of(layout, source.file_key, table, named)
    if places is None:
        table = _primary(table, named)
    if places is None or getattr(layout, "many_per_file", False):
        files = None if places is None else as_series(stems(places.files, layout.endings))
        frame = tidy_catalog(_keyed(table, files, given, named), given, named)
        _check_has_ids(layout, frame, columns, named)
        entries = scan_headers(layout, _named_files(layout, tree, files), num_workers)
        frame = with_distinct_ids(layout, _joined(layout, frame, entries, files is not None, named), tree.root)
    else:
        frame = tidy_catalog(table, given, named)
        del table  # as large as the frame
        frame = _with_files(layout, frame, places, tree, named, may_be_id=source.file_key is None)
    log_columns(named, columns, frame, given, f"the files of data.folder={source.folder}", nested)
    return frame


def _given(layout: Layout, source: Source, columns: Iterable[str]) -> dict[str, str | None]:
    """The user's names of columns; else those that the layout's survey uses, if they are there."""
    lower = {str(name).lower(): str(name) for name in reversed(list(columns))}
    given: dict[str, str | None] = {}
    for role in ROLES:
        usual = (lower[name] for name in layout.usual_names.get(role, ()) if name in lower)
        given[f"{role}_key"] = getattr(source, f"{role}_key") or next(usual, None)
    return given


def _with_files(
    layout: Layout, frame: pd.DataFrame, places: Places, tree: FileTree, named: str, may_be_id: bool
) -> pd.DataFrame:
    """The catalog with the file of each row, which it finds by the file's name.

    Args:
        may_be_id: files may be named by their ids too: no column was given for their names.
    """
    finder = FileFinder(tree, layout.endings)
    numbered = bool(frame.attrs.get(NUMBERED))
    found = finder.find(places.files)
    if may_be_id and not numbered:
        lost = np.flatnonzero(found < 0)
        by_id = finder.find(text_column(frame["id"].iloc[lost]))
        found[lost] = np.where(by_id >= 0, by_id, found[lost])
    if (found < 0).all():
        raise UserError(
            f"None of the {len(found):,} files that {named} asks for is in data.folder, such as {places.files[0]}."
        )
    names = pc.take(finder.names, pa.array(found, mask=found < 0))
    files = pc.coalesce(pa.chunked_array([names]), places.files)
    if numbered:
        frame["id"] = _named(as_series(places.ids or stems(files, layout.endings)))
        frame.attrs[NUMBERED] = False
    _log_left_out(tree, len(tree.names) - len(np.unique(found[found >= 0])), named)
    frame[FILE], frame[ROW_IN_FILE], frame[PROBLEM] = as_series(files), places.rows, _problems(found, places)
    return frame


def _problems(found: NDArray[np.int64], places: Places) -> NDArray[np.object_]:
    """Why a file is not found, or None."""
    problems = np.full(len(found), None, object)
    for row in np.flatnonzero(found < 0):
        reason = "several files of this name" if found[row] == SEVERAL else "missing file"
        problems[row] = f"{reason}: {places.files[int(row)]}"
    for row in np.flatnonzero((found >= 0) & (places.rows < 0)):
        problems[row] = f"no place in its file: {places.files[int(row)]}"
    return problems


def _named(ids: pd.Series) -> pd.Series:
    """Ids, with one for each row whose columns make none: such rows are bad, and reported by their ids."""
    without = np.flatnonzero(ids == "")
    ids.iloc[without] = [f"row {row + 1} of the catalog" for row in without]
    return ids


def _primary(table: pd.DataFrame, named: str) -> pd.DataFrame:
    """The best row of each object, if a catalog of several says which one that is.

    Raises:
        UserError: no row is.
    """
    column = next((name for name in table if str(name).lower() == PRIMARY), None)
    if column is None or table[column].isna().all():
        return table
    is_best = is_set(table[column], named)
    if not is_best.any():
        raise UserError(
            f"{named} has no row with {column}, which marks the best of an object's rows: leave this column out if all "
            "rows are wanted."
        )
    if is_best.all():
        return table
    best = table[is_best].reset_index(drop=True)
    log.info("%s: the %s of %s rows with %s are used.", named, f"{len(best):,}", f"{len(table):,}", column)
    return best


def _keyed(table: pd.DataFrame, files: pd.Series | None, given: Mapping[str, str | None], named: str) -> pd.DataFrame:
    """The catalog with its files' names before its ids, if it has both: an object may be in several files."""
    roles = find_columns(table.columns, given, named)
    column = next((name for name, role in roles.items() if role == "id"), None)
    if files is None or column is None:
        return table
    ids = as_text(table[column], f"'{column}' in {named}").fillna("nan")
    return table.assign(**{column: (files + "/" + ids.array).array})


def _check_has_ids(layout: Layout, frame: pd.DataFrame, columns: Iterable[str], named: str) -> None:
    """Raises UserError for a catalog without ids, whose row numbers would be taken for those of files called 0 or 1."""
    if not frame.attrs[NUMBERED]:
        return
    one_spectrum_a_file = not (getattr(layout, "many_per_file", False) or hasattr(layout, "row_in_file"))
    file_key = ", or data.file_key one of file names" if one_spectrum_a_file else ""
    raise UserError(
        f"{named} has no column of ids, by which its rows find their spectra: data.id_key names one{file_key}; it has "
        f"{shortened(columns)}."
    )


def _named_files(layout: Layout, tree: FileTree, files: pd.Series | None) -> FileTree:
    """The files that a catalog names, or all if it names none; if none of those is there, all."""
    if files is None:
        return tree
    wanted = set(files.unique())
    found = [name for name in tree.names if stem(name, layout.endings) in wanted]
    return dataclasses.replace(tree, names=found or tree.names)


def _joined(layout: Layout, frame: pd.DataFrame, entries: pd.DataFrame, by_file: bool, named: str) -> pd.DataFrame:
    """The spectra of the files with what the catalog says of each; those that it does not list are left out.

    A catalog may give the ids of spectra, or those of objects that have several. Where it gives classes with warnings,
    those of the files are left out: they are of another fit.
    """
    index = pd.Index(frame["id"])
    places = {}
    for column in ("id", "group") if "group" in entries else ("id",):
        keys = entries[column].astype("str")
        if by_file:
            keys = pd.Series([stem(name, layout.endings) for name in entries[FILE]], keys.index) + "/" + keys
        places[column] = index.get_indexer(pd.Index(keys))
    place = max(places.values(), key=lambda place: (place >= 0).sum())
    if (place < 0).all():
        raise UserError(
            f"None of the {len(frame):,} ids of {named}, such as {frame['id'].iloc[0]}, is that of a spectrum in "
            f"data.folder, such as {entries['id'].iloc[0]}: data.id_key names another column."
        )
    listed = np.flatnonzero((place >= 0) | entries[PROBLEM].notna())
    _log_spectra_left_out(len(entries) - len(listed), named)
    _log_rows_left_out(len(frame) - len(np.unique(place[place >= 0])), len(frame), named)
    said, is_said = frame.iloc[place[listed]].reset_index(drop=True), place[listed] >= 0
    if not is_said.all():
        whole = [name for name in said if isinstance(said[name].dtype, np.dtype) and said[name].dtype.kind in "iu"]
        said = plain_integers(nullable_integers(said).where(pd.Series(is_said), other=np.nan), whole)
    kept = entries.iloc[listed].reset_index(drop=True)
    has_labels = frame["label"].notna().any()
    own = ("id", *OWN) if has_labels else ("id", "label", *OWN)
    columns = {name: said[name] for name in said if name not in own}
    if has_labels and warnings_in(columns):
        kept = kept.drop(columns=warnings_in(kept))
    return kept.assign(**columns)


def _log_left_out(tree: FileTree, num: int, named: str) -> None:
    if num:
        log.warning("%s of %s files are in no row of %s and are left out.", f"{num:,}", f"{len(tree.names):,}", named)


def _log_spectra_left_out(num: int, named: str) -> None:
    if num:
        log.warning("%s spectra are in no row of %s and are left out.", f"{num:,}", named)


def _log_rows_left_out(num: int, num_rows: int, named: str) -> None:
    if num:
        log.warning("%s of %s rows of %s have no spectrum and are left out.", f"{num:,}", f"{num_rows:,}", named)


def _positions(frame: pd.DataFrame) -> "tuple[np.ndarray, np.ndarray] | None":
    """Right ascension and declination [N] in degrees, if the catalog has them."""
    lower = {str(name).lower(): name for name in reversed(list(frame.columns))}
    found = [next((lower[n] for n in names if n in lower), None) for names in POSITIONS.values()]
    if None in found:
        return None
    ra, dec = (pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64) for name in found)
    return ra, dec
