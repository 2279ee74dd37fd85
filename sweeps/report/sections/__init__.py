"""The report's sections, one per file."""
