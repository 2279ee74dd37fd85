"""Optuna's dashboard over all studies of a folder at once, while they run. `python -m sweeps.dashboard`.

The dashboard takes one storage, but every study has its own: `joined_storage` joins them. Notes and pictures of trials
are not stored: they are made from the run folders on request. So nothing is written while a sweep runs, and old studies
have notes and pictures too.
"""
