"""Every command on the pages, in yaml comments and in help texts is valid.

A command is composed and checked as the product does it, but nothing is trained; the slow tests also run those that can
run on small data. What cannot be checked is in UNCHECKED, by its exact text and with the reason.
"""

import argparse
import itertools
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import page_data
import pytest
from astropy.table import Table
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig
from page_commands import FOUND, SETS_VARIABLE, first_of_kind
from small_runs import REPOSITORY, composed, result, run

from spectral.configs.baseline_run import typed_baseline
from spectral.configs.commands import EvaluateConfig, ExportConfig, PackConfig, PredictConfig, typed_command
from spectral.configs.pretraining import typed_pretraining
from spectral.configs.root import typed
from spectral.configs.survey_files import SurveyFilesConfig
from sweeps.launchers.compose import Composer
from sweeps.sweeper import SpectralSweeper

UNCHECKED = {
    "python run.py model=my_net": "tests/docs/test_contributing.py makes this network and trains it",
    "python run.py -m sweep=NAME": "NAME stands for a search of the user",
    "python run.py -m sweep=fractions '+sweep.space={sampler.fractions:{classes:[a,b,c]}}' sweep.enqueue=[]": (
        "a, b and c stand for classes of the user"
    ),
    "python -m spectral.pack": "named without its arguments",
    "python -m sweeps.export": "named without its arguments",
    "python -m spectral.pack data=... out=FOLDER": "... stands for any data",
    "python -m spectral.predict run=FOLDER data=... out=FILE": "... stands for any data",
    "python -m spectral.evaluate run=FOLDER [data=...]": "... stands for any data",
    "python -m spectral.baseline method=boosting data=...": "... stands for any data",
    'python -m pip install --no-deps "aeon==1.6.0"': "aeon is no extra: its page says why",
}
KINDS = {"evaluate": EvaluateConfig, "predict": PredictConfig, "pack": PackConfig, "export": ExportConfig}
SMALL = "schedule.batch_size=60", "num_threads=1", "tracker=none", "plots=false"


@pytest.fixture(scope="module")
def composed_once() -> Iterator[None]:
    """Compose each choice of config groups once for all searches on the pages: what is composed depends on it alone."""
    load, kept = Composer._load_own, dict[tuple[str, ...], DictConfig]()

    def load_once(self: Composer, master: DictConfig, chosen: list[str]) -> DictConfig:
        key = (master.hydra.job.config_name, *self._inherited(), *chosen)
        if key not in kept:
            kept[key] = load(self, master, chosen)
        return kept[key]  # its readers change copies

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Composer, "_load_own", load_once)
        yield


class CheckedError(Exception):
    """Raised in place of what a command would do next."""


def stop(*_: Any, **__: Any) -> NoReturn:
    raise CheckedError


def check_run(arguments: list[str], _monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = get_args_parser().parse_args(arguments).overrides  # Hydra's own, which knows --help and --cfg job
    experiment = typed(composed([*overrides, "run_dir=run"] if "run_dir=" not in " ".join(overrides) else overrides))
    is_of_survey = isinstance(experiment.data, SurveyFilesConfig)  # spectra with wavelengths of their own need a grid
    assert not is_of_survey or experiment.init or experiment.data.grid.kind != "native"


def check_sweep(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a sweep checks before it opens its study."""
    monkeypatch.setattr(SpectralSweeper, "_choose_folder", stop)
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2("run", create_config_search_path(str(REPOSITORY / "conf")))
    try:
        with pytest.raises(CheckedError):
            hydra.multirun("config", lambda _: None, arguments, with_log_configuration=False)
    finally:
        GlobalHydra.instance().clear()


def check_applied(name: str) -> Callable[[list[str], pytest.MonkeyPatch], None]:
    def check(arguments: list[str], _monkeypatch: pytest.MonkeyPatch) -> None:
        typed_command(composed(arguments, name), KINDS[name], "")

    return check


def check_pretraining(arguments: list[str], _monkeypatch: pytest.MonkeyPatch) -> None:
    typed_pretraining(composed(["run_dir=run", *arguments], "pretrain"))


def check_baseline(arguments: list[str], _monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a multirun each key with its first value, and with its last."""
    given = [argument for argument in arguments if argument != "-m"]
    for place in (0, -1):
        overrides = [f"{key}={value.split(',')[place]}" for key, _, value in (text.partition("=") for text in given)]
        typed_baseline(composed(["run_dir=run", *overrides], "baseline"))


def import_afresh(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runpy import a module that another test may have imported; that one is back after the test.

    It is back in both of its places: a package that lacks its own submodules would fail the tests that follow.
    """
    parent, _, name = target.rpartition(".")
    if target in sys.modules:
        monkeypatch.setattr(sys.modules[parent], name, sys.modules[target])
        monkeypatch.delitem(sys.modules, target)


def check_parsed(target: str) -> Callable[[list[str], pytest.MonkeyPatch], None]:
    """Of a command with argparse: its parser takes the arguments."""

    def check(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        parse = argparse.ArgumentParser.parse_args

        def parse_and_stop(self: argparse.ArgumentParser, args: Any = None, namespace: Any = None) -> NoReturn:
            parse(self, args, namespace)
            raise CheckedError

        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
        monkeypatch.setattr(sys, "argv", [target, *arguments])
        monkeypatch.setenv("POLARS_MAX_THREADS", "1")  # a benchmark sets it
        with pytest.raises(CheckedError):
            if target.endswith(".py"):
                monkeypatch.syspath_prepend(str((REPOSITORY / target).parent))
                runpy.run_path(str(REPOSITORY / target), run_name="__main__")
            else:
                import_afresh(target, monkeypatch)
                runpy.run_module(target, run_name="__main__", alter_sys=True)

    return check


def check_pip(arguments: list[str], _monkeypatch: pytest.MonkeyPatch) -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert arguments[:2] == ["install", "-e"] and arguments[2].strip(".[]") in extras


def check_pytest(arguments: list[str], _monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [argument for argument in arguments if argument.startswith("tests")]
    assert paths and all((REPOSITORY / path).exists() for path in paths)


def check_make(arguments: list[str]) -> None:
    targets = re.findall(r"^([\w.-]+):", (REPOSITORY / "Makefile").read_text(), re.M)
    assert {argument for argument in arguments if "=" not in argument} <= set(targets)


def checker(words: list[str]) -> tuple[Callable[[list[str], pytest.MonkeyPatch], None], list[str]]:
    """What checks a command that begins with python, and its arguments."""
    match words[1:] if words[0] == "python" else []:
        case ["run.py", "-m", *arguments]:
            return check_sweep, arguments
        case ["run.py", *arguments]:
            return check_run, arguments
        case ["-m", "pip", *arguments]:
            return check_pip, arguments
        case ["-m", "pytest", *arguments]:
            return check_pytest, arguments
        case ["-m", "spectral.baseline", *arguments]:
            return check_baseline, arguments
        case ["-m", "spectral.pretrain", *arguments]:
            return check_pretraining, arguments
        case ["-m", module, *arguments] if module.startswith("spectral."):
            return check_applied(module.removeprefix("spectral.")), arguments
        case ["-m", module, *arguments] if module.startswith("sweeps."):
            return check_parsed(module), arguments
        case [script, *arguments] if script.startswith(("benchmarks/", "tools/")):
            return check_parsed(script), arguments
    raise AssertionError(f"no check is known for: {shlex.join(words)}")


CHECKED = [command for command in FOUND if command not in UNCHECKED]
FULL = [command for command in CHECKED if "sweep=full" in command]  # each is composed dozens of times


FIRST = first_of_kind([command for command in CHECKED if command not in FULL])


@pytest.mark.parametrize(
    "command", [pytest.param(one, id=one, marks=() if one in FIRST else pytest.mark.slow) for one in CHECKED]
)
def test_every_command_of_the_docs_is_valid(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_key: None, composed_once: None
) -> None:
    words = [*itertools.dropwhile(SETS_VARIABLE.match, shlex.split(command))]
    monkeypatch.chdir(tmp_path)
    if words[0] == "make":
        check_make(words[1:])
    else:
        check, arguments = checker(words)
        check(arguments, monkeypatch)


def test_every_unchecked_command_is_still_in_the_docs() -> None:
    assert set(UNCHECKED) <= set(FOUND)


def test_commands_of_every_kind_are_found() -> None:
    """The patterns above find commands of every kind."""
    for start in ("python run.py -m ", "python run.py model=", "python -m spectral.", "python -m sweeps.", "make "):
        assert sum(command.startswith(start) for command in FOUND) >= 3, start
    assert len(FOUND) > 100


# Trackers have tests of their own; the others need the user's data or runs, or hours.
NOT_RUN = ("-", "tracker", "distill=", "data=", "data.path", "experiment=ucr", "experiment=reference")


def runs_in_seconds(command: str) -> bool:
    """Whether a command trains once on the simulated survey."""
    is_run = command.startswith("python run.py ") and command not in UNCHECKED
    return is_run and not any(word.startswith(NOT_RUN) for word in shlex.split(command))


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in FOUND if runs_in_seconds(command)])
def test_a_training_command_trains_on_a_small_survey(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path)
    surveys = tmp_path_factory.getbasetemp() / "surveys"
    # Behind the command's own, so that they hold; what is trained is then small, whatever it was.
    given = [word for word in shlex.split(command)[2:] if not word.startswith("schedule.stages")]
    # As many epochs as a command on the pages has snapshots.
    run([*given, *SMALL, steps(3), "data.num_spectra=400", f"cache_dir={surveys}", "run_dir=run"])
    assert 1 <= result(tmp_path / "run")["num_epochs"] <= 3


@pytest.mark.slow
def test_the_readme_leads_from_your_own_data_to_predictions(tmp_path: Path) -> None:
    """The README's own lines, in their order, on files of the names that they have."""
    page_data.write(tmp_path)
    (tmp_path / "conf").symlink_to(REPOSITORY / "conf")
    lines = [command for command, page in FOUND.items() if page == "README.md" and "data=" in command]
    lines += [command for command, page in FOUND.items() if page == "README.md" and "run=" in command]
    trained = [line for line in lines if line.startswith("python run.py")]
    applied = [line for line in dict.fromkeys(lines) if line.startswith("python -m spectral.")]
    assert len(trained) >= 4 and len(applied) >= 4
    for number, line in enumerate(trained):
        start(line, tmp_path, f"run_dir=outputs/runs/{number or 'mine'}")
    for line in applied:
        start(line, tmp_path)
    assert (tmp_path / "result.csv").read_text().count("\n") == page_data.NUM_NEW
    assert (tmp_path / "classes.parquet").is_file()


@pytest.mark.slow
def test_the_tutorial_leads_from_fits_files_to_a_catalog(tmp_path: Path) -> None:
    (tmp_path / "conf").symlink_to(REPOSITORY / "conf")
    for line in (command for command, page in FOUND.items() if page == "tutorial-fits.md"):
        reached = line.replace("reject=0.98", "reject=0.2")  # trained for a step, no threshold reaches more
        start(reached, tmp_path, *(["--num", "150"] if "tools/" in line else []))
    catalog = Table.read(tmp_path / "catalog.fits")
    assert len(catalog) == 150
    assert (~catalog["problem"].mask).sum() == 3  # the damaged files


def steps(epochs: int) -> str:
    """A schedule of epochs of one step each."""
    return f"schedule.stages=[{{name:train,epochs:{epochs},steps:1}}]"


def start(line: str, folder: Path, *more: str) -> None:
    """Run one command in a folder that stands in for a checkout."""
    words = shlex.split(line)[1:]
    if words[0].endswith(".py"):
        small = (*SMALL, steps(1)) if words[0] == "run.py" else ()
        words = [str(REPOSITORY / words[0]), *words[1:], *small, *more]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"
