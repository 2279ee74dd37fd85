"""Tables of spectra with a column for each pixel, and the check that a reader finds the flux in them."""

import numpy as np
import pandas as pd

NUM, LENGTH = 12, 16
FLUX = np.random.default_rng(0).normal(size=(NUM, LENGTH)).astype(np.float32)
LABELS = ["star", "galaxy, Seyfert", "qso"] * 4
GRID = [str(4000.5 + 2 * i) for i in range(LENGTH)]


def table(names=None, **columns):
    frame = pd.DataFrame(FLUX, columns=names or [f"p{i}" for i in range(LENGTH)])
    for name, values in columns.items():
        frame.insert(0, name, values)
    return frame


def saved(folder, frame, suffix="csv", **options):
    path = folder / f"survey.{suffix}"
    if suffix == "csv":
        frame.to_csv(path, **{"index": False, **options})
    else:
        frame.to_parquet(path)
    return str(path)


def check_flux(reader, num=NUM):
    chunk = reader.read(np.arange(len(reader.catalog())))
    assert not chunk.problems
    np.testing.assert_array_equal(np.concatenate(chunk.flux), FLUX[:num])
