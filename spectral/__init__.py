"""Spectral: classify spectra and any other one-dimensional series."""

__version__ = "0.1.0"
