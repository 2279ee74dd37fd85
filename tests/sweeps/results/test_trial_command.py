"""Commands that a sweep prints, as a shell and then Hydra read them."""

import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from sweeps.results.trial_command import predict_command


@pytest.mark.parametrize("folder", ["outputs/sweeps/widths/3", "a folder/3", "\u00e9t\u00e9/3", "a,b (c)/3"])
def test_the_folder_of_a_run_is_read_back_from_the_command_that_applies_it(folder: str) -> None:
    run, out = shlex.split(predict_command(Path(folder)))[3:]
    assert (OverridesParser.create().parse_override(run).value(), out) == (folder, "out=classes.csv")


def test_a_usual_folder_is_not_quoted() -> None:
    assert predict_command(Path("outputs/3")) == "python -m spectral.predict run=outputs/3 out=classes.csv"
