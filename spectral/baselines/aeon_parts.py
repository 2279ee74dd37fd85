"""Transformers of aeon, an optional package whose import takes seconds: it is imported when a method asks for it."""

import importlib
import importlib.util
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.errors import UserError

PLACE = "aeon.transformations.collection"
INSTALL = "docs/baselines.md#aeon says how to install it"


def check_installed(method: str) -> None:
    """Raise UserError if a method has no aeon, or one that cannot be imported."""
    if importlib.util.find_spec("aeon") is None:
        raise UserError(f"method={method} needs the package aeon, which is not installed: {INSTALL}.")
    try:
        importlib.import_module(PLACE)
    except ImportError as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise UserError(
            f"method={method} needs the package aeon, which cannot be imported: {said}; {INSTALL}."
        ) from error


def transformer(module: str, name: str, **options: Any) -> Any:
    """A transformer of aeon, unfitted."""
    return getattr(importlib.import_module(f"{PLACE}.{module}"), name)(**options)


def transformed(part: Any, channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features [b, F] that a fitted transformer makes of channels [b, C, L]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy's and PyTorch's functions that aeon calls
        return np.asarray(part.transform(channels), dtype=np.float32)


def fit(part: Any, channels: NDArray[np.float32]) -> None:
    """Fit a transformer of aeon to channels [n, C, L]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as above
        part.fit(channels)
