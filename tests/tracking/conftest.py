"""Runs that are tracked."""

from collections.abc import Callable

import pytest


@pytest.fixture(autouse=True)
def without_a_key(no_key: None) -> None:
    """Hide the key that the user of the tests may have."""


@pytest.fixture
def tracked(small: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The overrides of a small run that is tracked."""

    def overrides(tracker: str, *more: str, folder: str = "run") -> list[str]:
        kept = [option for option in small(folder=folder) if not option.startswith(("tracker=", "plots="))]
        return [*kept, f"tracker={tracker}", *more]

    return overrides
