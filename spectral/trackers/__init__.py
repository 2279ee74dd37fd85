"""Trackers, one file each. Each runs in a process of its own (process.py), where nothing it does can harm a run."""
