"""What several tests of sweeps start from."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a sweep whose jobs wait in their last epoch until `hold` is removed, as `search_runs.go` does."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "hold").touch()
    return folder
