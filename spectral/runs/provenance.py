"""How a result was made: library versions and git revision."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from spectral import __version__

LIBRARIES = ("hydra-core", "numpy", "omegaconf", "pandas", "pyarrow", "safetensors", "scikit-learn", "torch")


def versions() -> dict[str, str]:
    """The version of Python, of this package and of each library that numbers depend on."""
    return {"python": platform.python_version(), "spectral": __version__} | {name: version(name) for name in LIBRARIES}


def git_revision() -> str | None:
    """The checkout's commit, with "+changes" if files differ from it; None outside a checkout or without git."""
    file = Path(__file__).resolve()
    here = file.parent
    try:
        _git(here, "ls-files", "--error-unmatch", file.name)  # fails in an environment inside another repository
        commit = _git(here, "rev-parse", "HEAD")
        return commit + ("+changes" if _git(here, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
