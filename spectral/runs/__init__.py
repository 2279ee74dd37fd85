"""The run folder, and what a result can be traced back by."""
