"""Optuna's dashboard over all studies of a folder at once, while they run. `python -m sweeps.dashboard`.

The dashboard takes one storage, and every study has one of its own: `many_studies` joins them. Notes and pictures of
trials are not stored anywhere: they are made of the run folders as they are asked for, so that nothing is written while
a sweep runs, and studies that were made long ago have them too.
"""
