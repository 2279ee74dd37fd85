"""Spectral: classify spectra and any other one-dimensional series.

It is distributed as spectral-sweeps: the `spectral` of the package index is another library with this import name.
"""

__version__ = "0.2.0"
DISTRIBUTION = "spectral-sweeps"  # what sweeps/own_spectral.py looks for
