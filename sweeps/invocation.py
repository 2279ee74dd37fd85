"""The command that runs the program of a sweep. A study stores it, so that readers can show how to run one trial."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

DEFAULT = ("python", "run.py")  # of studies that do not store it
FLAGS = ("--config-path", "--config-name", "--config-dir")  # of Hydra: where it finds a config
SEARCH_PATH = "hydra.searchpath"  # the only override that does the same


def program() -> list[str]:
    """The first words of a command that runs the program of this process, with the same config files."""
    script = Path(sys.argv[0])
    is_installed = shutil.which(script.name) == sys.argv[0]
    start = [script.name] if is_installed else ["python", str(script)]
    return [*start, *_of_config_files(sys.argv[1:])]


def _of_config_files(arguments: Sequence[str]) -> list[str]:
    """The arguments that say where Hydra finds config files. Trials have none of them among their overrides."""
    from hydra._internal.utils import get_args_parser

    given, others = get_args_parser().parse_known_args(list(arguments))
    found = [(flag, getattr(given, flag.removeprefix("--").replace("-", "_"))) for flag in FLAGS]
    words = [word for flag, value in found if value is not None for word in (flag, value)]
    return words + [o for o in [*given.overrides, *others] if o.lstrip("+").partition("=")[0] == SEARCH_PATH]


def command(start: Sequence[str], overrides: Sequence[str]) -> str:
    """The command that runs one configuration without a sweep, quoted for a shell."""
    return shlex.join([*start, *overrides])


def lines_of_command(start: Sequence[str], overrides: Sequence[str]) -> str:
    """The same command with one override per line, for places where a long line is hard to read."""
    return " \\\n  ".join([shlex.join(start), *(shlex.quote(override) for override in overrides)])
