"""A study that controllers share: its trials, who runs them, and what is left."""
