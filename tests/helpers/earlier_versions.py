"""Files of earlier versions, from tests/fixtures: copied, and with the commands that made them."""

import json
import shutil
from pathlib import Path

import pytest

from spectral.configs.renamed import renamed

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
VERSIONS = sorted(folder.name for folder in FIXTURES.glob("version_*"))


def enter_copy(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the files of a version and make the copy the working directory: its paths are relative."""
    folder = shutil.copytree(FIXTURES / version, tmp_path / version)
    monkeypatch.chdir(folder)
    return Path(folder)


def run_command(version: str, run: str) -> list[str]:
    """The overrides that made a run, under today's names, with its folder."""
    return [*map(_renamed, _commands(version)["runs"][run]), f"run_dir=runs/{run}"]


def study_command(version: str) -> list[str]:
    """The overrides that made the study, under today's names."""
    return [_renamed(override) for override in _commands(version)["study"]]


def _commands(version: str) -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = json.loads((FIXTURES / version / "commands.json").read_text())
    return loaded


def _renamed(override: str) -> str:
    key, _, value = override.partition("=")
    return f"{key}={renamed(value, key)}"
