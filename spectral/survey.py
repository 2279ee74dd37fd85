"""A packed survey: spectra as memory maps next to a table of what is known of each.

N spectra, C channels, L pixels.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.errors import UserError

FORMAT = 1  # of a pack on disk; a change that old packs cannot be read under raises it


@dataclass(frozen=True, eq=False)
class Survey:
    """Spectra of one grid, with their catalog and classes. Nothing in it may be written to.

    The catalog has one row per spectrum, in the order of `flux`: `id` (text), `label` (text or missing), `class_index`
    (-1 if the label is missing), `length` (pixels before padding), and whatever else the source had: `split`,
    `group`, `snr`, `redshift`, ...
    """

    flux: NDArray[Any]  # [N, C, L] float32 or float16
    catalog: pd.DataFrame
    class_names: tuple[str, ...]
    ivar: NDArray[np.float32] | None = None  # inverse variance [N, C, L]
    mask: NDArray[np.bool_] | None = None  # [N, L]; True: bad pixel or padding
    wave_angstrom: NDArray[np.float64] | None = None  # [L]
    fingerprint: str = ""  # digest of all of the above
    folder: Path | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)  # reason -> number of spectra left out in packing

    @classmethod
    def open(cls, folder: Path | str) -> "Survey":
        """Map a packed survey. All processes of a machine share one copy of it in memory.

        Raises:
            UserError: the folder holds no pack, or one of another format.
        """
        folder = Path(folder).absolute()
        about = read_about(folder)
        if about is None:
            raise UserError(f"{folder} is not a packed survey: python -m spectral.pack makes one.")
        if about["format"] != FORMAT:
            raise UserError(f"{folder} is a pack of format {about['format']}, not {FORMAT}: pack the survey again.")
        wave = about["wave_angstrom"]
        return cls(
            flux=np.load(folder / "flux.npy", mmap_mode="r"),
            catalog=pd.read_parquet(folder / "catalog.parquet"),
            class_names=tuple(about["class_names"]),
            ivar=_mapped(folder / "ivar.npy"),
            mask=_mapped(folder / "mask.npy"),
            wave_angstrom=None if wave is None else np.asarray(wave, dtype=np.float64),
            fingerprint=about["fingerprint"],
            folder=folder,
            skipped=about["skipped"],
        )

    def __len__(self) -> int:
        return len(self.flux)

    @property
    def num_channels(self) -> int:
        return int(self.flux.shape[1])

    @property
    def length(self) -> int:
        """Pixels of a spectrum, padding included."""
        return int(self.flux.shape[2])

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class index of each spectrum [N], -1 if the label is missing."""
        return self.catalog["class_index"].to_numpy(np.int64)

    def with_split(self, split: pd.Series) -> "Survey":
        """The same survey under another split: "train", "validation", "test" or "" for each row."""
        return dataclasses.replace(self, catalog=self.catalog.assign(split=split.to_numpy()))

    def indices(self, split: str) -> NDArray[np.int64]:
        """Rows of one split, in ascending order."""
        return np.flatnonzero((self.catalog["split"] == split).to_numpy())

    def __reduce__(self) -> Any:
        """Another process maps the files itself: pickling would copy the spectra."""
        if self.folder is None:
            return super().__reduce__()
        return _reopened, (self.folder, self.fingerprint, self.catalog)


def read_about(folder: Path) -> dict[str, Any] | None:
    """The content of a pack's survey.json, the file that is written last; None if there is no whole pack."""
    try:
        content: dict[str, Any] = json.loads((folder / "survey.json").read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return content


def _mapped(path: Path) -> NDArray[Any] | None:
    return np.load(path, mmap_mode="r") if path.exists() else None


def _reopened(folder: Path, fingerprint: str, catalog: pd.DataFrame) -> Survey:
    survey = Survey.open(folder)
    if survey.fingerprint != fingerprint:
        raise UserError(f"{folder} has been packed again since this job started: start the job again.")
    return dataclasses.replace(survey, catalog=catalog)
