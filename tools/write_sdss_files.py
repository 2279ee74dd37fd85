"""Write simulated spectra as files of SDSS, to try out what a folder of FITS files needs.

    python tools/write_sdss_files.py spectra --num 1200

The files have the layout and the names of SDSS's spec-lite files, PLATE/spec-PLATE-MJD-FIBER.fits, in folders by plate.
What is in them comes from the simulated survey, on SDSS's pixels, each file over a range of its own. An exposure that
failed has the class GALAXY and a warning at its redshift, as a survey's pipeline leaves it.
"""

import argparse
import os
import sys
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits

from spectral.configs.data import GridConfig, readers
from spectral.configs.simulated import SimulatedConfig
from spectral.data.packing.gridded import grid_angstrom, on_grid
from spectral.data.readers.contract import Chunk

GRID = GridConfig("log", 3800.0, 9090.0, 1e-4)
PRIORS = [0.5, 0.1, 0.2, 0.2]  # of star, unknown, galaxy, qso
FIRST_PLATE, MJD, NUM_FIBERS = 9001, 58000, 320
MOST_CUT = 60  # pixels at each end, so that files differ in length as SDSS's do
BRIGHTSKY = 1 << 23
SMALL_DELTA_CHI2 = 4  # of ZWARNING
COUNTS_A_FLUX = 20.0  # SDSS's unit is 1e-17 erg/s/cm^2/Angstrom


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--num", type=int, default=1200, help="files; the default takes 100 MB")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn; other spectra need another")
    parser.add_argument("--cut-short", type=int, default=0, help="this many files end before their data does")
    arguments = parser.parse_args()
    num, seed, folder = arguments.num, arguments.seed, arguments.folder
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty: name a new folder.", file=sys.stderr)
        return 1
    reader = on_grid(readers.build(SimulatedConfig(num_spectra=num, seed=seed, priors=PRIORS)), GRID)
    rng, catalog, wave = np.random.default_rng(seed), reader.catalog(), grid_angstrom(GRID)
    positions = {group: (rng.uniform(0, 360), rng.uniform(-5, 60)) for group in catalog["group"].unique()}
    for row, of_object in enumerate(catalog.to_dict("records")):
        plate, fiber = FIRST_PLATE + 10 * seed + row // NUM_FIBERS, row % NUM_FIBERS + 1
        path = folder / f"{plate:04d}" / f"spec-{plate:04d}-{MJD}-{fiber:04d}.fits"
        path.parent.mkdir(parents=True, exist_ok=True)
        numbers = {"PLATE": plate, "MJD": MJD, "FIBERID": fiber}
        tables = [
            coadd(reader.read(np.array([row])), np.log10(wave), rng),
            specobj(of_object, numbers, positions[of_object["group"]]),
        ]
        fits.HDUList([fits.PrimaryHDU(header=fits.Header(numbers)), *tables]).writeto(path)
    for path in sorted(folder.rglob("*.fits"))[:: max(1, num // max(1, arguments.cut_short))][: arguments.cut_short]:
        os.truncate(path, 5000)
    print(f"{num:,} files in {folder}")
    return 0


def coadd(chunk: Chunk, loglam: np.ndarray, rng: np.random.Generator) -> fits.BinTableHDU:
    """The spectrum, without some pixels at both ends."""
    flux = chunk.flux[0]
    assert flux is not None and chunk.ivar is not None and chunk.mask is not None
    kept = slice(rng.integers(MOST_CUT), len(loglam) - rng.integers(MOST_CUT))
    bad = np.where(chunk.mask[0], BRIGHTSKY, 0)
    columns = {
        "flux": ("E", flux[0] / COUNTS_A_FLUX),
        "loglam": ("E", loglam),
        "ivar": ("E", chunk.ivar[0][0] * COUNTS_A_FLUX**2),
        "and_mask": ("J", bad),
        "or_mask": ("J", bad),
    }
    return table("COADD", {name: (form, values[kept]) for name, (form, values) in columns.items()})


def specobj(
    of_object: Mapping[Hashable, Any], numbers: dict[str, int], position: tuple[float, float]
) -> fits.BinTableHDU:
    """The one row of what the pipeline found."""
    failed = of_object["label"] == "unknown"
    plate, mjd, fiber = numbers.values()
    identity = f"{(plate << 50) | (fiber << 38) | ((mjd - 50000) << 24)}"
    columns = {
        "SPECOBJID": ("22A", [identity.rjust(22)]),
        "CLASS": ("6A", ["GALAXY" if failed else str(of_object["label"]).upper()]),
        "SUBCLASS": ("21A", ["" if failed else str(of_object["subclass"])]),
        "Z": ("E", [0.0 if pd.isna(of_object["redshift"]) else of_object["redshift"]]),
        "ZWARNING": ("J", [SMALL_DELTA_CHI2 if failed else 0]),
        "SN_MEDIAN_ALL": ("E", [of_object["snr"]]),
        "PLUG_RA": ("D", [position[0]]),
        "PLUG_DEC": ("D", [position[1]]),
        **{name: ("J", [number]) for name, number in numbers.items()},
    }
    return table("SPECOBJ", columns)


def table(name: str, columns: Mapping[str, tuple[str, Any]]) -> fits.BinTableHDU:
    made = [fits.Column(key, form, array=np.asarray(values)) for key, (form, values) in columns.items()]
    return fits.BinTableHDU.from_columns(made, name=name)


if __name__ == "__main__":
    sys.exit(main())
