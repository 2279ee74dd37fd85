"""Another library named `spectral` is reported before any of it is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# As `python run.py` and `python -m sweeps.ls`, with a package of another owner first on the path.
START = """
import runpy, sys
other, what, *sys.argv = sys.argv[1:]
sys.argv.insert(0, what)
sys.path[:0] = [other, {repository!r}]
if what.endswith(".py"):
    runpy.run_path(what, run_name="__main__")
else:
    runpy.run_module(what, run_name="__main__", alter_sys=True)
"""


def start(other: Path, *command: str) -> subprocess.CompletedProcess[str]:
    start = START.format(repository=str(REPOSITORY))
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    command = (sys.executable, "-c", start, str(other), *command)
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("command", [("run.py", "--help"), ("sweeps.ls", "outputs")])
def test_another_library_of_the_same_name_is_reported_in_one_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    other = tmp_path / "spectral" / "__init__.py"
    other.parent.mkdir()
    other.write_text('raise RuntimeError("imported")\n')
    ended = start(tmp_path, *command)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended.stderr
    assert ended.stderr.startswith(f"error: {other} is another library") and "pip uninstall spectral" in ended.stderr


def test_our_own_package_in_another_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "spectral").symlink_to(REPOSITORY / "spectral")
    ended = start(tmp_path, "sweeps.ls", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
