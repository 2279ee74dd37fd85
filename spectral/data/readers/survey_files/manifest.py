"""The list of a survey's spectra as a file, which is never changed: who has read it counts rows by it.

A list that was made when the system did not give out some files is kept under a name of its own, and is used as long as
it does not give them out.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from spectral.data.readers.survey_files.scan import FILE, PROBLEM, UNREADABLE


def find_manifest(path: Path, is_unreadable: Callable[[str], bool]) -> Path | None:
    """The list that is kept under a name, or else one that lacks what still cannot be read.

    Args:
        is_unreadable: whether the system does not give out a file of the survey, by its name.
    """
    if path.is_file():
        return path
    for other in sorted(path.parent.glob(f"{path.stem}-*{path.suffix}")):
        if all(map(is_unreadable, _unreadable(pd.read_parquet(other, columns=[FILE, PROBLEM])))):
            return other
    return None


def manifest_path(path: Path, listed: pd.DataFrame) -> Path:
    """Where a list is kept that is called `path` if it is whole."""
    if not (names := _unreadable(listed)):
        return path
    digest = hashlib.blake2b("\n".join(names).encode("utf-8", "surrogateescape"), digest_size=8)
    return path.with_name(f"{path.stem}-{digest.hexdigest()}{path.suffix}")


def _unreadable(listed: pd.DataFrame) -> list[str]:
    """The files that the system did not give out."""
    problems = listed[PROBLEM].astype("str")
    return listed.loc[problems.str.startswith(f"{UNREADABLE}:", na=False), FILE].unique().tolist()
