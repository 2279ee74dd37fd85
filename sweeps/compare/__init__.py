"""Compare runs: their configs, their metrics, and their macro-F1 on the same spectra. `python -m sweeps.compare`."""
