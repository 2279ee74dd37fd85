"""How runs differ: in config, in metrics and, on the same spectra, in macro-F1. `python -m sweeps.compare`."""
