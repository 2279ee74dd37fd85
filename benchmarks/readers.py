"""Measure how fast files of surveys are read, next to astropy alone and to specutils' loaders.

    python benchmarks/readers.py            # files of the surveys' own sizes, made here
    pip install '.[oracles]'                # for the column of specutils

Of each format NUM spectra are made, and read from the page cache by one process: flux, inverse variance, flags and
wavelengths. `ours` is the reader alone; `astropy` opens each file and takes the same arrays. The last column is our
time in times of astropy's. `copied` is the reader with data.grid of the survey's own pixels, `resampled` with pixels
twice as wide, as packing calls them. Times are processor time, the best of the rounds, and methods alternate within a
round: on a busy machine absolute figures say little, ratios more.
"""

import argparse
import dataclasses
import functools
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from spectral.configs.data import readers
from spectral.configs.survey_files import LamostConfig, SdssConfig, SurveyFilesConfig
from spectral.data.packing.gridded import on_grid

ROWS_AT_A_TIME = 512  # as data.rows_per_part
NUM_FIBERS = 640
RNG = np.random.default_rng(0)
Read = Callable[[Path], object]


def log_wave(num: int) -> np.ndarray:
    return 3.5800 + 1e-4 * np.arange(num)


def lamost_header(num: int) -> fits.Header:
    cards = {"OBSID": 1, "OBJNAME": "object", "CLASS": "STAR", "Z": 0.0, "RA": 1.0, "DEC": 1.0}
    more = {f"KEY{i}": i for i in range(100)}  # as many as a released file has
    return fits.Header(cards | {"COEFF0": float(log_wave(num)[0]), "COEFF1": 1e-4} | more)


def lamost_image(num: int = 3909) -> fits.HDUList:
    rows = np.concatenate([RNG.normal(5, 1, (3, num)), np.zeros((2, num))]).astype(np.float32)
    return fits.HDUList([fits.PrimaryHDU(rows, lamost_header(num))])


def lamost_table(num: int = 3909) -> fits.HDUList:
    names = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK", "NORMALIZATION")
    arrays = [RNG.normal(5, 1, num), np.ones(num), 10 ** log_wave(num), np.zeros(num), np.zeros(num), np.ones(num)]
    columns = [fits.Column(name, f"{num}E", array=a[None]) for name, a in zip(names, arrays, strict=True)]
    return fits.HDUList([fits.PrimaryHDU(header=lamost_header(num)), fits.BinTableHDU.from_columns(columns)])


def sdss_spec(num: int = 3841, exposures: int = 0) -> fits.HDUList:
    names = ("flux", "loglam", "ivar", "and_mask", "or_mask", "wdisp", "sky", "model")
    arrays = [RNG.normal(5, 1, num), log_wave(num), *[np.ones(num)] * 6]
    forms = ("E", "E", "E", "J", "J", "E", "E", "E")
    columns = [fits.Column(n, f, array=a) for n, f, a in zip(names, forms, arrays, strict=True)]
    coadd = fits.BinTableHDU.from_columns(columns, name="COADD")
    of_object = [fits.Column(f"COLUMN{i}", "E", array=[0.0]) for i in range(125)]
    objects = fits.BinTableHDU.from_columns([fits.Column("CLASS", "6A", array=["QSO"]), *of_object], name="SPECOBJ")
    header = fits.Header({f"KEY{i}": i for i in range(130)})
    frames = [fits.BinTableHDU.from_columns(coadd.columns[:7], name=f"B1-{i}") for i in range(exposures)]
    return fits.HDUList([fits.PrimaryHDU(header=header), coadd, objects, *frames])


def sdss_plate(num: int = 3850) -> fits.HDUList:
    cards = {"PLATEID": 266, "MJD": 51602, "COEFF0": float(log_wave(num)[0]), "COEFF1": 1e-4}
    flux = fits.PrimaryHDU(RNG.normal(5, 1, (NUM_FIBERS, num)).astype(np.float32), fits.Header(cards))
    ivar = fits.ImageHDU(np.ones((NUM_FIBERS, num), np.float32))
    masks = [fits.ImageHDU(np.zeros((NUM_FIBERS, num), np.int32)) for _ in range(2)]
    return fits.HDUList([flux, ivar, *masks, fits.ImageHDU(np.ones((NUM_FIBERS, num), np.float32))])


# With astropy alone


def _native(array: Any) -> np.ndarray:
    return np.asarray(array, np.asarray(array).dtype.newbyteorder("="))


def read_image(path: Path) -> object:
    with fits.open(path, memmap=False) as hdus:
        header, data = hdus[0].header, hdus[0].data
        wave = 10 ** (header["COEFF0"] + header["COEFF1"] * np.arange(data.shape[1]))
        return wave, _native(data[0]), _native(data[1]), data[3] != 0


def read_table(path: Path, wave: str, names: tuple[str, ...]) -> object:
    with fits.open(path, memmap=False) as hdus:
        data = hdus[1].data
        return [_native(data[name]) for name in (wave, *names)]


def read_plate(path: Path) -> object:
    with fits.open(path, memmap=False) as hdus:
        return [_native(hdus[i].data) for i in (0, 1, 2)], hdus[0].header["COEFF0"]


def specutils_reader(kind: str) -> Read | None:
    try:
        from specutils import Spectrum
    except ImportError:
        return None
    return functools.partial(Spectrum.read, format=kind)


@dataclasses.dataclass(frozen=True)
class Format:
    name: str
    make: Callable[[], fits.HDUList]
    config: SurveyFilesConfig
    astropy: Read
    ending: str = ".fits"
    specutils_format: str | None = None
    per_file: int = 1


COADD = ("flux", "ivar", "and_mask")
FORMATS = (
    Format("LAMOST image", lamost_image, LamostConfig(), read_image),
    Format("LAMOST image, gzip", lamost_image, LamostConfig(), read_image, ".fits.gz"),
    Format(
        "LAMOST table",
        lamost_table,
        LamostConfig(),
        functools.partial(read_table, wave="WAVELENGTH", names=("FLUX", "IVAR", "ANDMASK")),
    ),
    Format(
        "SDSS spec-lite",
        sdss_spec,
        SdssConfig(),
        functools.partial(read_table, wave="loglam", names=COADD),
        specutils_format="SDSS-III/IV spec",
    ),
    Format(
        "SDSS spec, 6 exposures",
        functools.partial(sdss_spec, exposures=12),
        SdssConfig(),
        functools.partial(read_table, wave="loglam", names=COADD),
        specutils_format="SDSS-III/IV spec",
    ),
    Format("SDSS spPlate", sdss_plate, SdssConfig(kind="spplate"), read_plate, per_file=NUM_FIBERS),
)


def write_files(form: Format, folder: Path, num: int) -> list[Path]:
    """Copies of one file; a catalog gives each an id of its own."""
    paths = [folder / f"spPlate-{i:04d}-51602.fits" for i in range(-(-num // form.per_file))]
    if form.per_file == 1:
        paths = [folder / f"spec-{i:06d}{form.ending}" for i in range(num)]
    form.make().writeto(paths[0])
    for path in paths[1:]:
        path.write_bytes(paths[0].read_bytes())
    table = pd.DataFrame({"id": range(num), "file": [path.name for path in paths for _ in range(form.per_file)][:num]})
    if form.per_file > 1:
        rows = np.arange(num)
        table = table.assign(plate=rows // form.per_file, mjd=51602, fiberid=rows % form.per_file + 1)
    table.to_csv(folder / "catalog.csv", index=False)
    return paths


def our_reader(form: Format, folder: Path, num: int, step: float | None) -> Callable[[], None]:
    """Reads all spectra, on a grid of some step or as they are."""
    config = dataclasses.replace(
        form.config,
        folder=str(folder),
        catalog=str(folder / "catalog.csv"),
        file_key=None if form.per_file > 1 else "file",
        grid=dataclasses.replace(form.config.grid, step=step or 1e-4),
    )
    reader = readers.build(config, cache_dir=folder / "cache")
    reader = reader if step is None else on_grid(reader, config.grid)
    reader.catalog()

    def read() -> None:
        for start in range(0, num, ROWS_AT_A_TIME):
            chunk = reader.read(np.arange(start, min(num, start + ROWS_AT_A_TIME)))
            assert not chunk.problems, next(iter(chunk.problems.values()))

    return read


def each(read: Read, paths: Iterable[Path]) -> Callable[[], None]:
    def run() -> None:
        for path in paths:
            read(path)

    return run


def measure(form: Format, num: int, rounds: int) -> dict[str, float]:
    """Spectra per second of processor time, by method."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_files(form, folder, num)
        methods = {
            "ours": our_reader(form, folder, num, None),
            "copied": our_reader(form, folder, num, 1e-4),
            "resampled": our_reader(form, folder, num, 2e-4),
            "astropy": each(form.astropy, paths),
        }
        theirs = specutils_reader(form.specutils_format) if form.specutils_format else None
        if theirs is not None:
            methods["specutils"] = each(theirs, paths[: max(1, len(paths) // 10)])
        shares = {"specutils": max(1, len(paths) // 10) / len(paths)}
        best = dict.fromkeys(methods, np.inf)
        for _ in range(rounds):
            for method, read in methods.items():
                start = time.process_time()
                read()
                best[method] = min(best[method], (time.process_time() - start) / shares.get(method, 1))
        return {method: num / seconds for method, seconds in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=640, help="spectra of each format")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="64 spectra, 2 rounds")
    args = parser.parse_args()
    num, rounds = (64, 2) if args.quick else (args.num, args.rounds)
    warnings.simplefilter("ignore")
    columns = ("ours", "copied", "resampled", "astropy", "specutils")
    print(f"spectra/s/core{'':12}" + "".join(f"{name:>12}" for name in columns) + f"{'ours/astropy':>15}")
    for form in FORMATS:
        speeds = measure(form, num, rounds)
        shown = "".join(f"{speeds[name]:12,.0f}" if name in speeds else f"{'-':>12}" for name in columns)
        print(f"{form.name:26}{shown}{speeds['astropy'] / speeds['ours']:14.2f}x")


if __name__ == "__main__":
    main()
