"""The steps of CONTRIBUTING.md work: its blocks are pasted into a copy of the repository, then its tests are run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text()
WITH_BLOCKS = ("Add a model", "Add a loss", "Add a pruner or a sampler")
COPIED = ("spectral", "sweeps", "hydra_plugins", "conf", "tests", "run.py", "pyproject.toml")
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.M | re.S)
# A step names its file, before its block, as a new one or as one to add to.
STEP = re.compile(r"^\d\. \*\*[^*]+\*\*, (in the new file|at the end of) `([\w/.]+)`", re.M)


def part(title: str) -> str:
    """The text under one heading."""
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def paste(title: str, copy: Path) -> None:
    """Write each block of a part into the file that its step names."""
    text = part(title)
    for step in (found := list(STEP.finditer(text))):
        block = BLOCK.search(text, step.end())
        assert block is not None, step[0]
        path, content = copy / step[2], textwrap.dedent(block[3])
        assert path.exists() == (step[1] == "at the end of"), f"{step[2]} is no such file"
        with path.open("a") as file:
            file.write(content)
    assert len(found) == sum(1 for block in BLOCK.finditer(text) if block[2]), f"{title}: a block names no file"


def commands(title: str) -> list[list[str]]:
    """The commands of a part, with this interpreter."""
    lines = [line for block in BLOCK.finditer(part(title)) if not block[2] for line in block[3].splitlines()]
    return [[sys.executable, *shlex.split(line)[1:]] for line in lines]


def run_in(copy: Path, command: list[str]) -> str:
    environment = os.environ | {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
    return ended.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, with every block of the page in it."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for title in WITH_BLOCKS:
        paste(title, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("title", WITH_BLOCKS)
def test_the_tests_that_the_page_names_pass(title: str, copy: Path) -> None:
    (command,) = commands(title)
    printed = run_in(copy, command)
    assert re.search(r"^\d+ passed", printed.splitlines()[-1]), printed


@pytest.mark.slow
def test_the_new_parts_train(copy: Path) -> None:
    overrides = [
        "model=my_net",
        "loss=brier",
        "experiment=debug",
        "data.num_spectra=400",
        "tracker=none",
        "plots=false",
    ]
    printed = run_in(copy, [sys.executable, "run.py", *overrides, "run_dir=outputs/mine"])
    assert "macro-F1" in printed and (copy / "outputs" / "mine" / "result.json").is_file()


def test_every_file_that_the_page_names_is_there() -> None:
    new = {step[2] for step in STEP.finditer(PAGE) if step[1] == "in the new file"}
    named = set(re.findall(r"`((?:spectral|sweeps|tests|conf|docs|hydra_plugins)/[\w/.-]+)`", PAGE)) - new
    assert not {name for name in named if not (REPOSITORY / name).exists()}


def test_what_a_launcher_and_a_tracker_have_is_their_contract() -> None:
    from spectral.tracking.backends.contract import Tracker
    from sweeps.launchers.contract import StreamingLauncher

    for begin, names in (
        ("`sweeps/launchers/contract.py`. It has", StreamingLauncher.__abstractmethods__),
        ("`spectral/tracking/backends/contract.py` asks:", {n for n in vars(Tracker) if not n.startswith("_")}),
    ):
        sentence = PAGE.partition(begin)[2].partition(". ")[0]
        assert set(re.findall(r"`(\w+)`", sentence)) == names
