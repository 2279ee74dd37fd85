"""The revision and the versions that a result records."""

import os
import subprocess
from pathlib import Path

import pytest
import torch

from spectral.runs import provenance


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the package seems to be in."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    own = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}  # hooks and signatures of who runs the tests stay out
    command = ["git", "-C", str(folder), *who, *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=own)
    return ended.stdout.strip()


def test_there_is_no_revision_outside_a_checkout(package: Path) -> None:
    assert provenance.git_revision() is None


def test_there_is_no_revision_without_git(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(package))
    assert provenance.git_revision() is None


def test_changes_to_a_commit_are_marked(package: Path) -> None:
    git(package, "init", "-q")
    (package / "provenance.py").write_text("1")
    assert provenance.git_revision() is None  # no commit yet
    git(package, "commit", "-q", "--allow-empty", "-m", "of another project, around the environment")
    assert provenance.git_revision() is None
    git(package, "add", "provenance.py")
    git(package, "commit", "-q", "-m", "first")
    commit = git(package, "rev-parse", "HEAD")
    assert provenance.git_revision() == commit
    (package / "notes").write_text("not part of it")
    assert provenance.git_revision() == commit
    (package / "provenance.py").write_text("2")
    assert provenance.git_revision() == f"{commit}+changes"


def test_versions_are_those_of_the_installed_libraries() -> None:
    found = provenance.versions()
    assert found["torch"] == torch.__version__
    assert set(provenance.LIBRARIES) < set(found) and "python" in found and "spectral" in found
