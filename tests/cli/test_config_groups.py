"""The config groups on the help page of each command."""

from pathlib import Path

import pytest
import yaml
from commands import command
from small_runs import REPOSITORY

CONF = REPOSITORY / "conf"
COMMANDS = {
    "run.py": "config",
    "spectral/baseline.py": "baseline",
    "spectral/pretrain.py": "pretrain",
    "spectral/pack.py": "pack",
    "spectral/evaluate.py": "evaluate",
    "spectral/predict.py": "predict",
}


def taken(config: str) -> dict[str, str]:
    """The groups that a command's config has in its defaults, with the parts that the folder of each offers."""
    defaults = yaml.safe_load((CONF / f"{config}.yaml").read_text())["defaults"]
    groups = [next(iter(entry)).split()[-1] for entry in defaults if isinstance(entry, dict)]
    own = sorted(group.lstrip("/") for group in groups if not group.startswith(("hydra", "/hydra")))
    return {group: ", ".join(sorted(path.stem for path in (CONF / group).glob("*.yaml"))) for group in own}


QUICK = ("run.py", "spectral/pretrain.py", "spectral/predict.py")


@pytest.mark.parametrize(
    "script", [pytest.param(script, marks=() if script in QUICK else pytest.mark.slow) for script in COMMANDS]
)
def test_help_names_the_groups_that_the_command_takes(script: str, tmp_path: Path) -> None:
    """Hydra's own list has those of all commands: spectral.pretrain offered losses, which it refuses."""
    ended = command(REPOSITORY / script, "--help", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    paragraphs = ended.stdout.split("\n\n")
    before = next(i for i, text in enumerate(paragraphs) if text.startswith(("Choose a part", "Data readers")))
    listed = dict(line.split(": ", 1) for line in paragraphs[before + 1].splitlines())
    assert listed == taken(COMMANDS[script])
    assert list(listed) == sorted(listed)
