"""Readers of files as surveys release them: one or many spectra a file, with wavelengths of their own."""
