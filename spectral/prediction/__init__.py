"""A run applied to a whole survey as a stream: parts, then one file."""
