"""A wrong command is refused at once: no heavy library is imported before the whole config is checked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from slow_cases import slow_after

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ["torch", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "wandb"]
# Each command ends before the next one begins, so one start of Python serves all.
REPORT = """
import json, sys
from pathlib import Path
from commands import command

def report(script, *arguments):
    ended = command(Path(script), *arguments, cwd=Path.cwd())
    return [ended.returncode, ended.stderr, [name for name in %r if name in sys.modules]]

print(json.dumps([report(*words) for words in json.loads(sys.argv[1])]))
"""
COMMANDS = [
    ["run.py", "model=nope"],
    ["run.py", "sampler.fractions=[0.94,0.02,0.02,0.02]", "schedule.batch_size=49"],
    ["run.py", "objective=val/f2"],
    ["spectral/baseline.py", "method.max_iter=0"],
    ["spectral/pretrain.py", "masked_fraction=1"],
    ["spectral/evaluate.py", "run=nowhere", "on=tets"],
    ["spectral/predict.py", "run=nowhere", "data=arrays", "out=classes.txt"],
    ["spectral/pack.py", "data=arrays", "data.rows_per_part=0", "out=packs/mine"],
]
SLOW_COMMANDS = [  # mistakes that other tests find in the same ways
    ["run.py", "model.widht=16"],
    ["run.py", "model.dropout=1.5"],
    ["run.py", "sampler=fractions", "sampler.fractions=[0.5,0.6,0,0]"],
    ["run.py", "schedule.stages.0.loss=focla"],
    ["run.py", "tracker.mode=never"],
    ["spectral/baseline.py", "method=nope"],
]

Report = tuple[int, str, list[str]]


def reports_of(commands: list[list[str]], folder: Path) -> list[Report]:
    """For each command: its exit code, what it printed to stderr, and the heavy libraries imported until then."""
    run_dir = f"run_dir={folder / 'run'}"
    words = [[str(REPOSITORY / script), *given] for script, *given in commands]
    words = [
        [*given, run_dir] if given[0].endswith(("run.py", "baseline.py", "pretrain.py")) else given for given in words
    ]
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests" / "helpers")])
    ended = subprocess.run(
        [sys.executable, "-c", REPORT % HEAVY, json.dumps(words)],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return [tuple(report) for report in json.loads(ended.stdout.splitlines()[-1])]


@pytest.mark.parametrize("commands", slow_after(1, [COMMANDS, SLOW_COMMANDS]), ids=["some", "more"])
def test_a_mistake_is_reported_without_heavy_imports(commands: list[list[str]], tmp_path: Path) -> None:
    for words, (code, stderr, imported) in zip(commands, reports_of(commands, tmp_path), strict=True):
        assert (code, imported) == (2, []), (words, stderr)
        assert stderr.startswith("error: ") and stderr.count("\n") == 1, words
