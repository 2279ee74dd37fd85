"""The storages of studies, and waiting for a storage that is locked or unavailable."""
