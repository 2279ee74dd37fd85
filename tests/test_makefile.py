"""How the Makefile makes `.venv`, with stand-ins for Python that do nothing but write down what they are asked."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"
pytestmark = pytest.mark.skipif(
    shutil.which("make") is None, reason="make is not installed, and these tests run the Makefile itself"
)


def stand_in(path: Path, is_suitable: bool) -> Path:
    """A Python whose version is suitable or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$@" >> calls\n[ "$1" != -c ] || exit {0 if is_suitable else 1}\n')
    path.chmod(0o755)
    return path


def make(folder: Path, python: Path) -> "subprocess.CompletedProcess[str]":
    shutil.copy(MAKEFILE, folder)
    (folder / "pyproject.toml").touch()
    command = ["make", ".venv", f"PYTHON={python}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("is_suitable", "command"), [(True, "-m venv .venv"), (False, "-m venv --clear .venv")])
def test_a_venv_of_a_python_that_is_too_new_is_made_empty(is_suitable: bool, command: str, tmp_path: Path) -> None:
    stand_in(tmp_path / ".venv" / "bin" / "python", is_suitable)
    done = make(tmp_path, stand_in(tmp_path / "python3.12", is_suitable=True))
    assert done.returncode == 0, done.stderr
    assert command in (tmp_path / "calls").read_text().splitlines()
    assert (tmp_path / ".venv" / "installed").exists()


def test_a_python_that_is_too_new_is_refused(tmp_path: Path) -> None:
    done = make(tmp_path, stand_in(tmp_path / "python3.14", is_suitable=False))
    assert done.returncode != 0 and "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ..." in done.stderr
    assert not (tmp_path / ".venv").exists()
