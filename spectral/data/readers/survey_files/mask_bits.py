"""Pixel flags by the names that surveys give them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.survey_files.layout import UnreadableError
from spectral.errors import UserError, nearest

ANY = "any"
LARGEST = 2.0**53  # float that may hold bits


def bits_of(names: Sequence[str], known: Mapping[str, int], key: str) -> int:
    """The bits of some flags as one number; `any` stands for all bits, also for those without a name.

    Args:
        known: name of a flag, as the survey writes it -> its bit.
        key: config option, for the error sentence.

    Raises:
        UserError: the survey has no such flag.
    """
    bits = 0
    for name in names:
        if name.lower() == ANY:
            return -1
        if name.upper() not in known:
            raise UserError(f"{key}={name} is no flag of this survey: {nearest(name.upper(), [*known, ANY])}.")
        bits |= 1 << known[name.upper()]
    return bits


def bad_pixels(flags: NDArray[Any], bits: int) -> NDArray[np.bool_]:
    """Where any of some bits is set, and where flags stored as floats are no such number."""
    if flags.dtype.kind == "f":
        odd: NDArray[np.bool_] = ~(np.abs(flags) < LARGEST)
        return odd | bad_pixels(np.where(odd, 0, flags).astype(np.int64), bits)
    if flags.dtype.kind not in "iu":
        raise UnreadableError(f"wrong layout: flags of type {flags.dtype.name}, not whole numbers")
    unsigned = np.dtype(f"u{flags.dtype.itemsize}")
    bad: NDArray[np.bool_] = (flags.view(unsigned) & unsigned.type(bits & np.iinfo(unsigned).max)) != 0
    return bad
