"""What a training says when Ctrl-C ends it."""

import io
import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from rich.console import Console

from spectral.runs.folder import RunFolder
from spectral.runs.interrupted import says_how_to_resume


@pytest.mark.parametrize("folder", ["outputs/runs/a", "a folder", "\u00e9t\u00e9", "a,b (c) [d]"])
def test_the_argument_that_resumes_a_run_is_read_back_as_its_folder(folder: str) -> None:
    printed = io.StringIO()
    with pytest.raises(KeyboardInterrupt), says_how_to_resume(Console(file=printed), RunFolder(Path(folder))):
        raise KeyboardInterrupt
    (argument,) = shlex.split(printed.getvalue().partition("the same command with ")[2])
    assert OverridesParser.create().parse_override(argument).value() == folder
