"""A wrong command is refused at once: no heavy library is imported before the whole config is checked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ["torch", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "wandb"]
REPORT = """
import json, runpy, sys
try:
    if sys.argv[1] == "run.py":
        runpy.run_path(sys.argv.pop(1), run_name="__main__")
    else:
        runpy.run_module(sys.argv.pop(1), run_name="__main__")
except SystemExit as end:
    print(json.dumps([end.code, [name for name in %r if name in sys.modules]]))
"""


@pytest.mark.parametrize(
    "command",
    [
        ["run.py", "model=nope"],
        ["run.py", "model.widht=16"],
        ["run.py", "model.dropout=1.5"],
        ["run.py", "sampler=fractions", "sampler.fractions=[0.5,0.6,0,0]"],
        ["run.py", "sampler.fractions=[0.94,0.02,0.02,0.02]", "schedule.batch_size=49"],
        ["run.py", "schedule.stages.0.loss=focla"],
        ["run.py", "objective=val/f2"],
        ["run.py", "tracker.mode=never"],
        ["spectral.evaluate", "run=nowhere", "on=tets"],
        ["spectral.predict", "run=nowhere", "data=arrays", "out=classes.txt"],
        ["spectral.pack", "data=arrays", "data.rows_per_part=0", "out=packs/mine"],
    ],
)
def test_a_mistake_is_reported_without_heavy_imports(command: list[str], tmp_path: Path) -> None:
    folder = [f"run_dir={tmp_path / 'run'}"] if command[0] == "run.py" else []
    ended = subprocess.run(
        [sys.executable, "-c", REPORT % HEAVY, *command, *folder], cwd=REPOSITORY, capture_output=True, text=True
    )
    code, imported = json.loads(ended.stdout.splitlines()[-1])
    assert (code, imported) == (2, []), ended.stderr
    assert ended.stderr.startswith("error: ") and ended.stderr.count("\n") == 1
