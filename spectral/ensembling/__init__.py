"""Ensembles: finished runs whose probabilities are averaged, in a folder that is used as one run."""
