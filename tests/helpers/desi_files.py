"""DESI files as the survey writes them, small: three arms that overlap on one lattice of 0.8 Angstrom."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table

ARMS = {"B": (0, 20), "R": (15, 40), "Z": (36, 60)}  # pixels of the lattice
NUM_PIXELS = 60
WAVE = 3600 + 0.8 * np.arange(NUM_PIXELS)
FIRST_ID = 39627640566449153  # a float64 has no odd number of this size


def arms_of(num: int, seed: int = 0) -> dict[str, dict[str, np.ndarray]]:
    """Random fluxes, inverse variances and masks [N, L] of each arm, some pixels bad."""
    rng = np.random.default_rng(seed)
    arms = {}
    for name, (start, stop) in ARMS.items():
        shape = (num, stop - start)
        flux, ivar = rng.normal(5, 2, shape).astype(np.float32), rng.uniform(0.5, 2, shape).astype(np.float32)
        mask = np.where(rng.random(shape) < 0.15, 1 << rng.integers(0, 9, shape), 0).astype(np.int32)
        ivar[rng.random(shape) < 0.1] = 0
        arms[name] = {"flux": flux, "ivar": ivar, "mask": mask}
    return arms


def write_desi(
    path: Path,
    target_ids: Sequence[int],
    arms: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    exposures: Sequence[int] | None = None,
    **columns: Sequence[object],
) -> dict[str, dict[str, np.ndarray]]:
    """Write a coadd or spectra file and return its arms, random ones unless they are given."""
    num = len(target_ids)
    arms = arms_of(num) if arms is None else arms
    ids = np.array(target_ids, np.int64)
    fibermap = Table({"TARGETID": ids, "TARGET_RA": 150 + np.arange(num) / 10, "TARGET_DEC": np.full(num, 2.0)})
    fibermap["OBJTYPE"] = ["TGT"] * num
    for name, values in ({"EXPID": exposures} if exposures is not None else {} | columns).items():
        fibermap[name] = values
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU(fibermap, name="FIBERMAP")]
    scores = Table({"TARGETID": ids, "MEDIAN_COADD_SNR_R": np.arange(num, dtype=np.float32) + 0.5})
    hdus.append(fits.BinTableHDU(scores, name="SCORES"))
    for name, arm in arms.items():
        start, stop = ARMS[name]
        hdus.append(fits.ImageHDU(WAVE[start:stop], name=f"{name}_WAVELENGTH"))
        hdus += [fits.ImageHDU(values, name=f"{name}_{kind.upper()}") for kind, values in arm.items()]
        hdus.append(fits.ImageHDU(np.ones((num, 11, stop - start), np.float32), name=f"{name}_RESOLUTION"))
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path)
    return {name: dict(arm) for name, arm in arms.items()}


def write_redrock(path: Path, target_ids: Sequence[int], classes: Sequence[str], **columns: Sequence[object]) -> None:
    table = Table({"TARGETID": np.array(target_ids, np.int64), "SPECTYPE": classes})
    table["Z"], table["SUBTYPE"] = np.arange(len(classes)) / 10, [""] * len(classes)
    for name, values in columns.items():
        table[name] = values
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(table, name="REDSHIFTS")]).writeto(path)
