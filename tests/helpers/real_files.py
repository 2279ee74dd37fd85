"""Where real files of surveys lie, for the tests that check against them if they are there."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def real_files(name: str) -> list[Path]:
    """The FITS files in a folder such as `sdss_fits` of $SPECTRAL_REAL_DATA, or of ../shared/data; none: skipped."""
    folder = Path(os.environ.get("SPECTRAL_REAL_DATA", REPOSITORY.parent / "shared" / "data")) / name
    files = sorted(folder.glob("*.fits*"))
    if not files:
        pytest.skip(f"no files in {folder}: SPECTRAL_REAL_DATA names another folder")
    return files
