"""Two runs on the same spectra: by how much their macro-F1 differs, and how sure that is. n spectra, K classes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from sweeps.report.runs import Run

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Difference:
    """Macro-F1 of one run less that of the other, on the spectra that both predicted.

    Args:
        split: "test", or "validation" where one of the runs did not read the test split.
        low, high: 95 % interval of the difference.
    """

    split: str
    num_spectra: int
    mine: float
    other: float
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.mine - self.other

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def difference(mine: Run, other: Run) -> Difference | None:
    """None where the runs have no predictions in common."""
    for split in ("test", "validation"):
        both = _joined(mine.split(split), other.split(split))
        if len(both):
            return _difference(split, both, [*mine.class_names, *other.class_names])
    return None


def _joined(mine: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Columns label, predicted, predicted_other; a spectrum whose label differs is another spectrum."""
    columns = ["id", "label", "predicted"]
    joined = mine[columns].merge(other[columns], on=["id", "label"], suffixes=("", "_other"))
    return joined.dropna(subset=["label"])


def _difference(split: str, both: pd.DataFrame, class_names: list[str]) -> Difference:
    from spectral.bootstrap import paired_bootstrap_interval

    columns = ("label", "predicted", "predicted_other")
    names = list(dict.fromkeys([*class_names, *(name for column in columns for name in both[column].unique())]))
    place = {name: k for k, name in enumerate(names)}
    label, mine, other = (both[column].map(place).to_numpy(np.int64) for column in columns)
    low, high = paired_bootstrap_interval(label, mine, other, len(names), seed=0)
    one, another = (_macro_f1(label, predicted, len(names)) for predicted in (mine, other))
    return Difference(split, len(both), one, another, low, high)


def _macro_f1(label: Labels, predicted: Labels, num_classes: int) -> float:
    return float(f1_score(label, predicted, labels=range(num_classes), average="macro", zero_division=0))
