"""Case of the reader of text files of columns: one spectrum a file, labels in a catalog."""

from pathlib import Path

from reader_cases.case import MadeSpectrum, ReaderCase
from spectral.configs.data import readers
from spectral.configs.survey_files import TwoColumnConfig
from spectral.data.readers.contract import Reader


class TwoColumnCase(ReaderCase):
    name = "two-column"
    has_mask = False

    def write(self, folder: Path, spectra: list[MadeSpectrum]) -> None:
        (folder / "spectra").mkdir(exist_ok=True)
        rows = ["file,id,label,redshift\n"]
        for row, spectrum in enumerate(spectra):
            columns = (spectrum.wave.tolist(), spectrum.flux.tolist(), spectrum.ivar.tolist())
            lines = [" ".join(map(repr, pixel)) for pixel in zip(*columns, strict=True)]
            (folder / "spectra" / f"{row:03d}.dat").write_text("# wave flux ivar\n" + "\n".join(lines))
            rows.append(f"{row:03d}.dat,{spectrum.id},{spectrum.label},{spectrum.redshift}\n")
        (folder / "labels.csv").write_text("".join(rows))

    def open(self, folder: Path) -> Reader:
        config = TwoColumnConfig(folder=str(folder / "spectra"), columns=["wave", "flux", "ivar"])
        config.catalog, config.file_key = str(folder / "labels.csv"), "file"
        return readers.build(config, cache_dir=folder / "cache")

    def damage(self, folder: Path, row: int) -> None:
        with (folder / "spectra" / f"{row:03d}.dat").open("a") as file:
            file.write("\n4000 oops 1\n")


CASES: tuple[ReaderCase, ...] = (TwoColumnCase(),)
