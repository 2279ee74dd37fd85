"""Readers of spectra held as arrays, one file format a module."""
