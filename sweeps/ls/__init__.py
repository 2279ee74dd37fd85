"""What there is: studies and single runs, how far they are, and how good. `python -m sweeps.ls`."""
