"""What a reader's case provides, and the spectra that every case writes in its reader's layout."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectral.data.readers.contract import Reader

LABELS = ("star", "galaxy", "qso", "unknown")
FIRST_ID = 299489676975171584  # more than a float64 holds exactly, as ids of surveys are
LENGTH = 48
LOG_START, LOG_STEP = 3.6, 1e-4


@dataclass(frozen=True)
class MadeSpectrum:
    """A spectrum that a case writes. L pixels."""

    id: str
    label: str
    redshift: float
    ra_deg: float
    dec_deg: float
    wave: np.ndarray  # [L] Angstrom
    flux: np.ndarray  # [L] float32
    ivar: np.ndarray  # [L] float32
    bad: np.ndarray  # [L] bool


def made_spectra(num: int, ragged: bool, seed: int = 0) -> list[MadeSpectrum]:
    """Spectra whose ids fall while their order rises, one position on the sky for each; ragged: of several lengths and
    beginnings."""
    return [_made(row, num, ragged, seed) for row in range(num)]


def _made(row: int, num: int, ragged: bool, seed: int) -> MadeSpectrum:
    rng = np.random.default_rng([seed, row])
    length, first = (LENGTH + 3 * (row % 4), row % 5) if ragged else (LENGTH, 0)
    return MadeSpectrum(
        id=str(FIRST_ID + num - row),
        label=LABELS[row % len(LABELS)],
        redshift=0.125 * row,
        ra_deg=10.0 + row,
        dec_deg=-5.0 + row / 64,
        wave=10 ** (LOG_START + LOG_STEP * (first + np.arange(length))),
        flux=rng.normal(5, 1, length).astype(np.float32),
        ivar=rng.uniform(1, 2, length).astype(np.float32),
        bad=np.isin(np.arange(length), [3 + row % 7, 20]),
    )


class ReaderCase:
    """A reader and the source that it reads. Each reader adds one, in a module next to this.

    The flags say what the layout can hold, so that the suite checks no more than that.
    """

    name: str
    ragged = True  # whether spectra may differ in length
    has_ivar = True
    has_mask = True
    has_own_wave = True  # whether each spectrum brings its wavelengths
    has_redshift = True
    made_ids = True  # whether the ids are those of the spectra that `write` is given
    made = True  # whether the source holds the spectra that `write` is given; the simulated survey has its own
    damages_rows = True  # whether a single spectrum can be damaged, by `damage`
    wave_rtol = 1e-12  # of the wavelengths as the layout holds them

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        """Write the source, also over one that is there."""
        raise NotImplementedError

    def open(self, folder: Path) -> Reader:
        """The reader of a written source. What it keeps goes to `folder / "cache"`."""
        raise NotImplementedError

    def damage(self, folder: Path, row: int) -> None:
        """Make the spectrum of one row unreadable."""
        raise NotImplementedError
