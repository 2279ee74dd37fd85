"""Inverse variances as float32."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float32).max)


def float32_ivar(values: NDArray[Any]) -> NDArray[np.float32]:
    """Inverse variances as float32, those beyond its range as its largest number.

    An infinite one counts as unknown, and its pixel as bad. Of flux in erg/s/cm2/Angstrom the best pixels have inverse
    variances above 3e38.
    """
    if values.dtype.kind == "f" and values.dtype.itemsize > 4:
        too_large = np.isfinite(values) & (values > LARGEST)
        values = np.where(too_large, LARGEST, values) if too_large.any() else values
    return values.astype(np.float32, copy=False)
