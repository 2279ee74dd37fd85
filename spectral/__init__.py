"""Spectral: classify spectra and any other one-dimensional series.

It is distributed as spectral-sweeps: the `spectral` of the package index is another library with this import name.
From Python: `from spectral import load_run, open_survey`, see docs/python.md.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spectral.api import TrainedRun as TrainedRun
    from spectral.api import load_run as load_run
    from spectral.api import open_survey as open_survey

__version__ = "0.2.0"
DISTRIBUTION = "spectral-sweeps"  # sweeps/own_spectral.py looks for this word in the text of this file
FROM_PYTHON = ("TrainedRun", "load_run", "open_survey")  # of spectral.api, which takes seconds to import


def __getattr__(name: str) -> Any:
    """Import the Python interface when it is first asked for: the commands begin without it."""
    if name in FROM_PYTHON:
        return getattr(importlib.import_module("spectral.api"), name)
    raise AttributeError(f"module 'spectral' has no attribute {name!r}")
