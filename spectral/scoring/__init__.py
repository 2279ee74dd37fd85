"""Metrics, decision rules, intervals, and how they are printed."""
