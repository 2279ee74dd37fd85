"""Pretraining without labels."""
