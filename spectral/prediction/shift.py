"""Whether the classes predicted for new data have other shares than those predicted on validation. K classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

P_VALUE, FACTOR = 0.001, 1.5


def shifted_classes(
    counts: NDArray[np.int64], on_validation: NDArray[np.int64], class_names: Sequence[str]
) -> list[str]:
    """The classes whose predicted share differs, each with both shares in words, such as "qso 4.1 %, not 0.5 %".

    The same rule decides here and there, so its mistakes do not count as a difference. A class is named if Fisher's
    exact test of it against all others finds p below 0.001 / K, for K tests (Bonferroni), and if its share differs by a
    factor of 1.5 or more: among a million spectra a difference that matters to nobody is certain too.

    Args:
        counts, on_validation: [K], spectra of each predicted class.
    """
    found = []
    for name, here, there in zip(class_names, counts.tolist(), on_validation.tolist(), strict=True):
        num_here, num_there = int(counts.sum()), int(on_validation.sum())
        low, high = sorted([here / max(num_here, 1), there / max(num_there, 1)])
        if high < FACTOR * low or high == 0:
            continue
        p_value = fisher_exact([[here, num_here - here], [there, num_there - there]]).pvalue
        if p_value < P_VALUE / len(class_names):
            found.append(f"{name} {100 * here / num_here:.2g} %, not {100 * there / num_there:.2g} %")
    return found
