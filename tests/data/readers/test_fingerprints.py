"""Digests of source files: by content, or for large files by size and time."""

import os
from pathlib import Path

import pytest

from spectral.data.readers import fingerprints
from spectral.data.readers.fingerprints import file_stamp

THEN_NS, LATER_NS = 1_600_000_000_000_000_000, 1_700_000_000_000_000_000


@pytest.fixture(autouse=True)
def large_from_five_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints, "SMALL_BYTES", 4)


def stamp(path: Path, content: str, time_ns: int = THEN_NS) -> str:
    path.write_text(content)
    os.utime(path, ns=(time_ns, time_ns))
    return file_stamp(path)


def test_a_small_file_is_known_by_its_content_alone(tmp_path: Path) -> None:
    first = stamp(tmp_path / "a", "flux")
    assert stamp(tmp_path / "b", "flux", LATER_NS) == first
    assert stamp(tmp_path / "a", "fluX") != first


def test_a_large_file_is_known_by_its_size_and_time_and_never_read(tmp_path: Path) -> None:
    first = stamp(tmp_path / "a", "fluxes")
    assert stamp(tmp_path / "b", "others") == first
    assert stamp(tmp_path / "a", "fluxes", LATER_NS) != first
    assert stamp(tmp_path / "a", "fluxes of more") != first
