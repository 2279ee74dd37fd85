"""A study that several controllers share: its trials, which controller runs them, and which are left."""
