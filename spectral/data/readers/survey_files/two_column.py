"""A folder of text files, one per spectrum: columns of wavelength, flux and, where there is one, error or ivar.

What follows a # is a comment; one line of names may stand before the numbers. Fields stand between commas,
semicolons or white space; next to semicolons a comma is a decimal comma.
"""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.ivar import float32_ivar
from spectral.data.readers.survey_files.file_tree import tree_root
from spectral.data.readers.survey_files.fits_values import float32
from spectral.data.readers.survey_files.layout import Entry, Spectrum, UnreadableError
from spectral.data.readers.survey_files.scan import stem
from spectral.data.wavelengths import to_angstrom

MOST_BYTES = 2**26  # of a file; a spectrum of a million pixels is half of that


class TwoColumnLayout:
    """One spectrum a file. Its id is the name of the file, its label that of the first folder below the survey's.

    Args:
        folder: of the survey, a file or a pattern (data.folder).
        columns: what each column is: wave, flux, error, ivar, or anything else for one that is left out.
        wave_unit, wave_medium: of the wavelengths in the files.
    """

    name = "two_column"
    endings = (".txt", ".dat", ".csv", ".asc", ".ascii")
    usual_names: dict[str, tuple[str, ...]] = {}  # noqa: RUF012  # a mapping that nobody changes
    file_name_columns = ()
    of_spectra = ("columns", "wave_unit", "wave_medium", "has_ivar")

    def __init__(self, folder: str, columns: Sequence[str], wave_unit: str, wave_medium: str) -> None:
        self.columns, self.wave_unit, self.wave_medium = tuple(columns), wave_unit, wave_medium
        self.has_ivar = bool({"error", "ivar"} & set(columns))
        self._root = tree_root(folder)

    def file_name(self) -> str:
        raise NotImplementedError("a catalog has no columns that name files")

    def longer_id(self, id_: str, file: str) -> str:
        """The name of a file with its folders, where files in several folders have the same."""
        return f"{file.rpartition('/')[0]}/{id_}".lstrip("/")

    def entries(self, path: Path) -> list[Entry]:
        folders = path.relative_to(self._root).parts[:-1]
        return [{"id": stem(path.name, self.endings), "label": folders[0] if folders else None}]

    def read(self, path: Path, indices: Sequence[int]) -> list[Spectrum | UnreadableError]:
        spectrum = self._spectrum(_numbers(path, len(self.columns)))
        return [spectrum for _ in indices]

    def _spectrum(self, columns: NDArray[np.float64]) -> Spectrum:
        there = dict(zip(self.columns, columns, strict=True))
        wave = to_angstrom(there["wave"], self.wave_unit, self.wave_medium)
        ivar = there.get("ivar")
        if "error" in there:
            error = there["error"]
            with np.errstate(over="ignore", divide="ignore"):  # the row checks take what is not finite for not known
                ivar = np.where(np.isfinite(error) & (error > 0), np.where(error > 0, error, 1) ** -2.0, 0)
        return Spectrum(float32(there["flux"]), wave, None if ivar is None else float32_ivar(ivar))


def _numbers(path: Path, num_columns: int) -> NDArray[np.float64]:
    """The first columns of a file [columns, L].

    Raises:
        UnreadableError: the file is not such a table.
    """
    if path.stat().st_size > MOST_BYTES:
        raise UnreadableError(f"too large: {path.stat().st_size:,} bytes, for a spectrum at most {MOST_BYTES:,}")
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise UnreadableError("text is not UTF-8") from error
    lines = [line for line in lines if line]
    separator = next((mark for mark in ";," if lines and mark in lines[-1]), None)
    if lines and not _is_number(lines[0].split(separator)[0], separator):
        del lines[0]
    if not lines:
        raise UnreadableError("no numbers")
    text = "\n".join(lines)
    try:
        table: NDArray[Any] = np.loadtxt(
            StringIO(text.replace(",", ".") if separator == ";" else text),
            delimiter=separator,
            usecols=range(num_columns),
            ndmin=2,
        )
    except ValueError as error:
        raise UnreadableError(f"not columns of numbers: {' '.join(str(error).split()).rstrip('.')}") from error
    return table.T


def _is_number(field: str, separator: str | None) -> bool:
    try:
        float(field.replace(",", ".") if separator == ";" else field)
    except ValueError:
        return False
    return True
