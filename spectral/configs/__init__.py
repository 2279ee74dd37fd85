"""Typed configs, one file a config group; importing them needs no torch."""
