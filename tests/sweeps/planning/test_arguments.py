"""The overrides of a command that belong to the sweep itself."""

import sys
from types import SimpleNamespace

import pytest
from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from search_runs import REPOSITORY

from spectral.errors import UserError
from sweeps.planning.arguments import Arguments, refuse_search


@pytest.fixture
def loader() -> ConfigLoader:
    with initialize_config_dir(str(REPOSITORY / "conf"), version_base="1.3"):
        return GlobalHydra.instance().config_loader()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("sweep.sampler=tpe,random", "sweep.sampler has one value for all jobs of a sweep."),
        ("sweep.seeds=range(1,3)", "sweep.seeds has one value for all jobs of a sweep."),
        ("sweep=reference,fractions", "sweep has one value for all jobs of a sweep."),
        ("run_dir=a,b", "run_dir has one value for all jobs of a sweep."),
        ("sweep.space.model.width=8,16", "an axis is given by its own key, as in model.width=8,16."),
        ("+sweep.space.a=interval(1,2)", "an axis is given by its own key, as in a=interval(1,2)."),
    ],
)
def test_a_key_of_the_sweep_itself_is_not_swept_over(argument: str, message: str, loader: ConfigLoader) -> None:
    with pytest.raises(UserError) as raised:
        Arguments(["model.width=4,8", argument], loader)
    assert str(raised.value) == f"{argument} cannot be swept over: {message}"


def test_arguments_that_are_not_the_sweeps_go_to_the_jobs(loader: ConfigLoader) -> None:
    given = ["run_dir=a", "sweep=widths", "model.width=4,8", "sweep.seeds=[1,2]", "+sweep.space.a={low: 1, high: 2}"]
    arguments = Arguments([*given, "sweeps=3", "score_test=true"], loader)
    assert arguments.of_jobs == ["model.width=4,8", "sweeps=3", "score_test=true"]
    assert arguments.leave_open(["score_test=false", "+plots=false"]) == ["+plots=false"]
    assert arguments.has_folder and not Arguments(["x=1"], loader).has_folder


@pytest.mark.parametrize("argument", ["~sweep", "~sweep=default"])
def test_the_keys_of_the_search_are_not_deleted(argument: str, loader: ConfigLoader) -> None:
    """A search without them would check nothing, and read the test split in each trial."""
    with pytest.raises(UserError) as raised:
        Arguments(["model.width=4,8", argument], loader)
    assert str(raised.value).startswith(f"{argument} deletes the keys of the search: leave it out")


@pytest.mark.parametrize("sign", ["", "+"])
def test_a_search_without_its_flag_is_refused_with_the_whole_command(
    sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_hydra = [f"{sign}hydra.searchpath=[mine]", "hydra/launcher=ray", "hydra.mode=RUN"]
    given = SimpleNamespace(hydra=of_hydra, task=["sweep=widths", "seed=1"])
    monkeypatch.setattr(HydraConfig, "get", lambda: SimpleNamespace(overrides=given, mode=RunMode.RUN))
    monkeypatch.setattr(sys, "argv", ["run.py", *of_hydra[:2], "sweep=widths", "seed=1"])
    with pytest.raises(UserError) as raised:
        refuse_search()
    whole = f"python run.py '{sign}hydra.searchpath=[mine]' -m hydra/launcher=ray sweep=widths seed=1"
    assert str(raised.value) == f"sweep=widths needs -m to search: {whole}"


@pytest.mark.parametrize("argument", ["~sweep", "~sweep=default", "sweep=none"])
def test_a_command_that_leaves_the_search_out_needs_no_flag(argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With -m the first two are refused."""
    given = SimpleNamespace(hydra=["hydra.mode=RUN"], task=[argument, "seed=1"])
    monkeypatch.setattr(HydraConfig, "get", lambda: SimpleNamespace(overrides=given, mode=RunMode.RUN))
    refuse_search()
