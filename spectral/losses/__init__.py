"""Losses: logits and targets in, one number out."""
