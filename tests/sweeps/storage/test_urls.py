"""URLs of storages: a job may be in another folder than the command that names its storage."""

from pathlib import Path

import pytest

from sweeps.storage.urls import absolute_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///s.db", "sqlite:///{here}/s.db"),
        ("journal://a/s.journal", "journal://{here}/a/s.journal"),
        ("sqlite:////there/s.db", "sqlite:////there/s.db"),
        ("postgresql://host/name", "postgresql://host/name"),
    ],
)
def test_a_file_is_named_by_its_whole_path(
    url: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_url(url) == expected.format(here=Path.cwd())


def test_a_path_that_a_url_cannot_hold_stays_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question mark ends the path in a database's URL."""
    (tmp_path / "why?").mkdir()
    monkeypatch.chdir(tmp_path / "why?")
    assert absolute_url("sqlite:///s.db") == "sqlite:///s.db"
    assert absolute_url("journal://s.journal") == f"journal://{Path.cwd()}/s.journal"
