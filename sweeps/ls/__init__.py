"""List studies and single runs with their progress and best scores. `python -m sweeps.ls`."""
