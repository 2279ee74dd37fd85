"""Some of a survey's spectra, to try a large one quickly: `data.limit=N`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.packing.wrapped import WrappedReader
from spectral.data.readers.contract import Chunk, known_bad_rows, place_of, read_rows
from spectral.data.splits.partition import quotas

SEED = 2018  # of the draw


@dataclass
class LimitedReader(WrappedReader):
    """Some rows of a reader.

    Args:
        rows: of its catalog, in ascending order.
    """

    rows: NDArray[np.int64]

    def catalog(self) -> pd.DataFrame:
        return limited(self.reader.catalog(), self.rows)

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        return read_rows(self.reader, self.rows[rows])

    def place(self, row: int) -> str | None:
        return place_of(self.reader, int(self.rows[row]))

    def known_bad(self) -> NDArray[np.bool_] | None:
        known = known_bad_rows(self.reader)
        return None if known is None else known[self.rows]


def limited(catalog: pd.DataFrame, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Those rows of a catalog, numbered from 0."""
    return catalog.iloc[rows].reset_index(drop=True)


def limited_rows(labels: pd.Series, num: int, draw: str) -> NDArray[np.int64]:
    """At most `num` rows in ascending order.

    Args:
        labels: of all rows, text or missing; missing ones are a class of their own.
        draw: "first", or "stratified": at random, each class in proportion, and at least once if there is room.
    """
    if draw == "first":
        return np.arange(min(num, len(labels)))
    classes, _ = pd.factorize(labels, sort=True)
    names, counts = np.unique(classes, return_counts=True)
    wanted = np.minimum(quotas(num, counts / counts.sum()), counts)
    rng = np.random.default_rng(SEED)
    drawn = [rng.permutation(np.flatnonzero(classes == k))[:n] for k, n in zip(names, wanted, strict=True)]
    return np.sort(np.concatenate(drawn))
