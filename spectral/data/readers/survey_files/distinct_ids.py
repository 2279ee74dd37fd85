"""Ids that several files of a survey have: one row keeps the id, and the others are bad rows."""

import logging
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.columns import SHORT_ID
from spectral.data.readers.survey_files.layout import Layout, UnreadableError
from spectral.data.readers.survey_files.scan import FILE, PROBLEM, ROW_IN_FILE

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 256  # of a file, in memory together


def with_distinct_ids(layout: Layout, frame: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Ids that several files have, made longer by the layout if it can tell them apart; the later ones are bad rows.

    A spectrum that cannot be read has no claim to its id. What was made longer is kept as `short_id`: it was the id
    when one file alone had it.

    Args:
        frame: one row per spectrum, in the order of files, see `scan_headers`.
        root: folder of the files.
    """
    if frame["id"].is_unique:
        return frame.assign(id=frame["id"].astype("str"))
    ids, files, problems = (frame[name].to_numpy(object).copy() for name in ("id", FILE, PROBLEM))
    places = frame[ROW_IN_FILE].to_numpy()
    if hasattr(layout, "longer_id"):
        is_twice = frame["id"].duplicated(keep=False)
        frame = frame.assign(**{SHORT_ID: frame["id"].astype("str").where(is_twice)})
        twice = np.flatnonzero(is_twice)
        ids[twice] = [layout.longer_id(str(ids[row]), files[row]) for row in twice]
    claims = np.flatnonzero(pd.Series(ids).duplicated(keep=False) & pd.isna(problems))
    problems[claims] = _problems_before_good(layout, root, ids[claims], files[claims], places[claims])
    order = np.argsort(pd.notna(problems), kind="stable")  # what can be read comes first
    later = order[pd.Series(ids[order]).duplicated().to_numpy()]
    first = {ids[row]: files[row] for row in reversed(order)} if len(later) else {}
    for row in later:
        if pd.isna(problems[row]):
            problems[row] = f"duplicate id: {ids[row]} in {files[row]}, also in {first[ids[row]]}"
        ids[row] = f"{ids[row]} ({files[row]} row {places[row]})"
    return frame.assign(id=pd.Series(ids, frame.index, dtype="str"), **{PROBLEM: problems})


def _problems_before_good(
    layout: Layout, root: Path, ids: NDArray[Any], files: NDArray[Any], places: NDArray[Any]
) -> list[str | None]:
    """Why each of some spectra [n] cannot be read, or None; none is read whose id an earlier good one has."""
    problems: list[str | None] = [None] * len(ids)
    good = set[str]()
    if len(ids):
        log.info("Reading up to %s spectra whose id is there twice, to see which are whole.", f"{len(ids):,}")
    for file, of_file in groupby(range(len(ids)), lambda i: files[i]):
        asked = [i for i in of_file if ids[i] not in good]
        for start in range(0, len(asked), ROWS_AT_ONCE):
            some = asked[start : start + ROWS_AT_ONCE]
            found = _problems(layout, root, file, [int(places[i]) for i in some])
            for i, problem in zip(some, found, strict=True):
                problems[i] = problem
        good.update(ids[i] for i in asked if problems[i] is None)
    return problems


def _problems(layout: Layout, root: Path, file: str, places: Sequence[int]) -> list[str | None]:
    try:
        found = layout.read(root / file, places)
    except UnreadableError as error:
        return [error.in_file(file)] * len(places)
    except OSError:  # the system does not give it out, which may pass
        return [None] * len(places)
    return [each.in_file(file) if isinstance(each, UnreadableError) else None for each in found]
