"""Sweeps: search over many experiments, run them in slots, resume. Importing this package imports nothing heavy."""

from typing import Any

__all__ = ["check_constraints", "report_progress"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from sweeps.job import progress

        return getattr(progress, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
