"""Fixtures of several tests of sweeps."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, open_browser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a sweep whose jobs wait in their last epoch until `search_runs.release` removes `hold`."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "hold").touch()
    return folder


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The folder of a finished study over GRID, a third of whose trials have failed."""
    from loop_runs import GRID, grid_score, sweep

    from sweeps.storage.connect import open_storage

    open_storage.cache_clear()
    sweep(tmp_path / "study", GRID, grid_score, sampler="grid", seeds=2)
    return tmp_path / "study"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    with open_browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened
