"""How a sweep's program is called, so that whoever reads its study can tell how a trial is run by itself."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

DEFAULT = ("python", "run.py")  # of studies that do not tell


def program() -> list[str]:
    """The start of a command that calls this process's program."""
    script = Path(sys.argv[0])
    return ["python", str(script) if script.suffix == ".py" else script.name]


def command(start: Sequence[str], overrides: Sequence[str]) -> str:
    """The command that runs a configuration by itself, as a shell reads it."""
    return shlex.join([*start, *overrides])


def lines_of_command(start: Sequence[str], overrides: Sequence[str]) -> str:
    """The same command, an override a line, where long lines would be in the way."""
    return " \\\n  ".join([shlex.join(start), *(shlex.quote(override) for override in overrides)])
