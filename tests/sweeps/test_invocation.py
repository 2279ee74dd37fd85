"""The command that runs one configuration by itself."""

import sys
from pathlib import Path

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


def test_an_installed_program_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "train"
    script.touch(0o755)
    monkeypatch.setattr(sys, "argv", [str(script), "-m", "x=1,2"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command(program(), ["x=1"]) == "train x=1"
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert command(program(), ["x=1"]) == f"python {script} x=1"
