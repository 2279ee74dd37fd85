"""Runs the trials of a study on a launcher, from the first ask to the last result."""
