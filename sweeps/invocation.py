"""The command that runs the program of a sweep. A study stores it, so that readers can show how to run one trial."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

DEFAULT = ("python", "run.py")  # of studies that do not store it


def program() -> list[str]:
    """The first words of a command that runs the program of this process."""
    script = Path(sys.argv[0])
    return ["python", str(script) if script.suffix == ".py" else script.name]


def command(start: Sequence[str], overrides: Sequence[str]) -> str:
    """The command that runs one configuration without a sweep, quoted for a shell."""
    return shlex.join([*start, *overrides])


def lines_of_command(start: Sequence[str], overrides: Sequence[str]) -> str:
    """The same command with one override per line, for places where a long line is hard to read."""
    return " \\\n  ".join([shlex.join(start), *(shlex.quote(override) for override in overrides)])
