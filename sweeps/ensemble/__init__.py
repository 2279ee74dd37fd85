"""Average the runs of a study, or any runs, into one folder that is used as a run. `python -m sweeps.ensemble`."""
