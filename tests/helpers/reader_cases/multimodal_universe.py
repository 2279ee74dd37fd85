"""Cases of the reader of the Multimodal Universe's files: many spectra a file, in HDF5 or Parquet."""

from pathlib import Path

import numpy as np
from mmu_files import write_hdf5, write_parquet

from reader_cases.case import MadeSpectrum, ReaderCase
from spectral.configs.data import readers
from spectral.configs.survey_files import MultimodalUniverseConfig
from spectral.data.readers.contract import Reader

PER_FILE = 4
PADDED = 64  # pixels; those beyond a spectrum's own have wavelength -1


class Hdf5Case(ReaderCase):
    name, write_file, ending = "multimodal-universe-hdf5", staticmethod(write_hdf5), ".hdf5"
    damages_rows = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        for start in range(0, len(spectra), PER_FILE):
            some = spectra[start : start + PER_FILE]
            parts = {"flux": "flux", "ivar": "ivar", "lambda": "wave", "mask": "bad"}
            padding = {"flux": 0, "ivar": 0, "lambda": -1, "mask": True}
            arrays = {
                part: np.stack([padded(getattr(s, name), padding[part]) for s in some]) for part, name in parts.items()
            }
            columns = {"object_id": [s.id for s in some], "SPECTYPE": [s.label.upper() for s in some]}
            columns |= {"Z": [s.redshift for s in some], "ra": [s.ra_deg for s in some]}
            path = folder / "mmu" / f"healpix={start:04d}" / f"001-of-001{self.ending}"
            self.write_file(path, arrays, **columns, dec=[s.dec_deg for s in some])

    def open(self, folder: Path) -> Reader:
        config = MultimodalUniverseConfig(folder=str(folder / "mmu"))
        return readers.build(config, cache_dir=folder / "cache")


class ParquetCase(Hdf5Case):
    name, write_file, ending = "multimodal-universe-parquet", staticmethod(write_parquet), ".parquet"


def padded(values: np.ndarray, with_: object) -> np.ndarray:
    return np.pad(values, (0, PADDED - len(values)), constant_values=with_)


CASES: tuple[ReaderCase, ...] = (Hdf5Case(), ParquetCase())
