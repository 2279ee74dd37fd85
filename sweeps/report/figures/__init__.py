"""The report's figures, one per file."""
