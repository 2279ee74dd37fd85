"""Runs that are tracked, with nothing of this machine's own settings in their way."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.register_assert_rewrite("offline_runs")


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a key nor settings: a home of its own, which children inherit."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT", "WANDB_ENTITY", "NETRC", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


@pytest.fixture
def tracked(small: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The overrides of a small run that is tracked."""

    def overrides(tracker: str, *more: str, folder: str = "run") -> list[str]:
        kept = [option for option in small(folder=folder) if not option.startswith(("tracker=", "plots="))]
        return [*kept, f"tracker={tracker}", *more]

    return overrides
