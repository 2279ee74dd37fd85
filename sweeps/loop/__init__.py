"""Run the trials of a study on a launcher, from the first claim to the last result."""
