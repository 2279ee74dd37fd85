"""Shared parts of the benchmarks; the commands are one folder up."""
