"""Cases of the readers of users' own data, and of the simulated survey."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from astropy.table import Table

from reader_cases.case import MadeSpectrum, ReaderCase
from spectral.data.readers.arrays.opening import open_arrays
from spectral.data.readers.contract import Reader
from spectral.data.readers.simulated.reader import SimulatedReader
from spectral.data.readers.tianchi import TianchiReader


class TianchiCase(ReaderCase):
    name = "tianchi"
    has_ivar = has_mask = has_own_wave = has_redshift = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        (folder / "train").mkdir(exist_ok=True)
        for spectrum in spectra:
            text = ",".join(repr(float(value)) for value in spectrum.flux)
            (folder / "train" / f"{spectrum.id}.txt").write_text(text)
        rows = [f"{spectrum.id},{spectrum.label}\n" for spectrum in spectra]
        (folder / "index.csv").write_text("id,type\n" + "".join(rows))

    def open(self, folder: Path) -> Reader:
        return TianchiReader(str(folder / "index.csv"), str(folder / "train"))

    def damage(self, folder: Path, row: int) -> None:
        id_ = pd.read_csv(folder / "index.csv", dtype=str)["id"][row]
        (folder / "train" / f"{id_}.txt").write_text("1,2,oops")


class NpzCase(ReaderCase):
    name = "arrays-npz"
    ragged = has_own_wave = damages_rows = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        np.savez(
            folder / "survey.npz",
            flux=np.stack([spectrum.flux for spectrum in spectra]).astype(">f4"),
            ivar=np.stack([spectrum.ivar for spectrum in spectra]),
            mask=np.stack([spectrum.bad for spectrum in spectra]),
            wave=spectra[0].wave,
            id=np.array([spectrum.id for spectrum in spectra]),
            label=np.array([spectrum.label for spectrum in spectra]),
            redshift=np.array([spectrum.redshift for spectrum in spectra]),
        )

    def open(self, folder: Path) -> Reader:
        return open_arrays(str(folder / "survey.npz"))


class Hdf5Case(NpzCase):
    name = "arrays-hdf5"

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        super().write(folder, spectra)
        with np.load(folder / "survey.npz") as arrays, h5py.File(folder / "survey.h5", "w") as file:
            for name, values in arrays.items():
                file[f"survey/{name}"] = values.astype("S") if values.dtype.kind == "U" else values

    def open(self, folder: Path) -> Reader:
        return open_arrays(str(folder / "survey.h5"))


class FitsTableCase(ReaderCase):
    name = "arrays-fits"
    ragged = damages_rows = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        names = ("id", "label", "redshift", "wave", "flux", "ivar", "bad")
        columns = {name.upper(): np.stack([getattr(spectrum, name) for spectrum in spectra]) for name in names}
        columns["ID"], columns["MASK"] = columns["ID"].astype(np.int64), columns.pop("BAD")
        Table(columns).write(folder / "survey.fits", overwrite=True)

    def open(self, folder: Path) -> Reader:
        return open_arrays(str(folder / "survey.fits"))


class CsvCase(ReaderCase):
    name = "arrays-csv"
    has_ivar = has_mask = has_own_wave = has_redshift = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        longest = max(len(spectrum.flux) for spectrum in spectra)
        lines = [",".join(["id", "label", *(f"p{i}" for i in range(longest))])]
        for spectrum in spectra:
            flux = [repr(float(value)) for value in spectrum.flux] + [""] * (longest - len(spectrum.flux))
            lines.append(",".join([spectrum.id, spectrum.label, *flux]))
        (folder / "survey.csv").write_text("\n".join(lines) + "\n")

    def open(self, folder: Path) -> Reader:
        return open_arrays(str(folder / "survey.csv"))

    def damage(self, folder: Path, row: int) -> None:
        lines = (folder / "survey.csv").read_text().splitlines()
        values = lines[row + 1].split(",")
        lines[row + 1] = ",".join([*values[:4], "oops", *values[5:]])
        (folder / "survey.csv").write_text("\n".join(lines) + "\n")


class ParquetCase(ReaderCase):
    name = "arrays-parquet"
    has_ivar = has_mask = has_own_wave = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        keys = ("id", "label", "redshift", "flux")
        table = pd.DataFrame({key: [getattr(spectrum, key) for spectrum in spectra] for key in keys})
        table.to_parquet(folder / "survey.parquet")

    def open(self, folder: Path) -> Reader:
        return open_arrays(str(folder / "survey.parquet"))

    def damage(self, folder: Path, row: int) -> None:
        table = pd.read_parquet(folder / "survey.parquet")
        table.at[row, "flux"] = None
        table.to_parquet(folder / "survey.parquet")


class ParquetOfErrorsCase(ParquetCase):
    name = "arrays-parquet-ivar-mask"
    has_ivar = has_mask = True

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        keys = {"id": "id", "label": "label", "redshift": "redshift", "flux": "flux", "IVAR": "ivar", "mask": "bad"}
        table = {key: [getattr(spectrum, name) for spectrum in spectra] for key, name in keys.items()}
        pd.DataFrame(table).to_parquet(folder / "survey.parquet")


class SimulatedCase(ReaderCase):
    name = "simulated"
    made = damages_rows = ragged = has_mask = has_own_wave = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        (folder / "seed.txt").write_text(f"{len(spectra)} {round(1000 * float(spectra[0].flux[0]))}")

    def open(self, folder: Path) -> Reader:
        num, seed = map(int, (folder / "seed.txt").read_text().split())
        return SimulatedReader(num, seed, (0.4, 0.1, 0.3, 0.2), 10.0, 0.5)


CASES: tuple[ReaderCase, ...] = (
    TianchiCase(),
    NpzCase(),
    Hdf5Case(),
    FitsTableCase(),
    CsvCase(),
    ParquetCase(),
    ParquetOfErrorsCase(),
    SimulatedCase(),
)
