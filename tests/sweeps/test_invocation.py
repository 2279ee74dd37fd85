"""The command that runs one configuration by itself."""

import sys

import pytest

from sweeps.invocation import command, program


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["-m", "model.width=16,32"], ""),
        (["-m", "--config-dir", "conf of mine", "experiment=tiny"], " --config-dir 'conf of mine'"),
        (["-cd=mine", "-m", "-cn", "other", "seed=1"], " --config-name other --config-dir mine"),
        (["seed=1,2", "--multirun", "--config-path=elsewhere"], " --config-path elsewhere"),
        (["-m", "hydra.searchpath=[file:///mine]", "seed=1,2"], " 'hydra.searchpath=[file:///mine]'"),
    ],
)
def test_the_command_finds_the_same_config_files(
    arguments: list[str], kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", *arguments])
    assert command(program(), ["model.width=16"]) == f"python run.py{kept} model.width=16"
