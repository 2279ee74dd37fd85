"""What a survey's layout provides: which files hold spectra, what they say of each, and the spectra themselves.

L pixels of a spectrum.
"""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Entry = dict[str, object]
"""What a file's header says of one spectrum: `id` (text), and of `label`, `group`, `redshift`, `snr`, `ra_deg`,
`dec_deg` and other columns what is there."""


@dataclass(frozen=True)
class Spectrum:
    """A spectrum as its file holds it, in float32 and the file's order."""

    flux: NDArray[np.float32]  # [L]
    wave_angstrom: NDArray[np.float64]  # [L], in vacuum
    ivar: NDArray[np.float32] | None = None  # [L]
    mask: NDArray[np.bool_] | None = None  # [L], True = bad pixel


class UnreadableError(ValueError):
    """A file, or a spectrum in it, cannot be read. The text is a short phrase, details after a colon: it is a reason
    to leave the spectrum out, and may name the HDU and what was expected there."""

    def in_file(self, name: str) -> str:
        """The reason with the file among its details."""
        return f"{self} ({name})" if ":" in str(self) else f"{self}: {name}"


OF_SYSTEM = {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT}  # errors that may pass


def is_of_system(error: Exception) -> bool:
    """Whether an error says that the system does not give a file out, which may pass, and not that it is damaged."""
    if isinstance(error, FileNotFoundError | PermissionError):
        return True
    return isinstance(error, OSError) and error.errno in OF_SYSTEM


class Layout(Protocol):
    """How one survey lays out its files. Instances are pickled to the packing processes, so they stay small.

    A layout may also have `beginnings` of file names, in lower case; `many_per_file`, which is true if a catalog row
    is found by its file and its id there; `longer_id(id, file)`, which tells ids apart that several files have;
    `row_in_file` and `spectrum_id`, which a catalog row's values of `file_name_columns` give as they do `file_name`;
    `wave_unit`, in which its files give wavelengths; `redshift_file(path)`, the file next to one of spectra that holds
    their classes and redshifts, or None; `version`, which is raised when it reads the same files otherwise; and
    `of_spectra`, the names of those of its options that decide over spectra, and not over which there are.
    """

    @property
    def name(self) -> str:
        """The reader's, such as "lamost"."""
        ...

    @property
    def endings(self) -> tuple[str, ...]:
        """What the names of files with spectra end in, in lower case."""
        ...

    @property
    def has_ivar(self) -> bool: ...

    @property
    def usual_names(self) -> Mapping[str, tuple[str, ...]]:
        """The survey's columns for id, label, group, redshift and snr, in lower case, in order of preference."""
        ...

    @property
    def file_name_columns(self) -> tuple[str, ...]:
        """The columns of its catalog, in lower case, that give a file's name; empty if none do."""
        ...

    def entries(self, path: Path) -> list[Entry]:
        """One entry per spectrum, in the file's order, from headers and tables alone.

        Raises:
            UnreadableError: the file is not as the survey writes it.
        """
        ...

    def read(self, path: Path, indices: Sequence[int]) -> Sequence["Spectrum | UnreadableError"]:
        """The spectra at these positions of a file. One that is bad alone stands as its reason.

        Raises:
            UnreadableError: the file is not as the survey writes it.
        """
        ...

    def file_name(self, *values: Any) -> str:
        """The name of the file of a catalog row, from its values of `file_name_columns`."""
        ...
