"""Which spectra train, validate and test."""
