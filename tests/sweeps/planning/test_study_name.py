"""A search without a name: the same command finds its study, whether it is unfinished or finished."""

import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.trial import TrialState
from search_runs import await_begun, check_complete, end_of, finish, read_line, run, start, states
from waiting import await_that

from sweeps.config import SweepConfig
from sweeps.ensemble import of_sweep
from sweeps.ls import command as ls
from sweeps.outputs import SWEEPS
from sweeps.planning.checks import typed_sweep
from sweeps.planning.plan import plan_of
from sweeps.planning.study_name import choose_study, name_search
from sweeps.space import Space
from sweeps.storage.connect import open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import ENQUEUED, FINAL, IDENTITY, MOST, REFERENCE, REPORTED, RETRY_OF, TOTAL

GRID = ("sweep.space={}", "x=1,2,3")
CONFIG = {
    "hydra": {"job": {"name": "app", "config_name": "config"}, "runtime": {"cwd": "/a"}},
    "run_dir": "${now:%H}",
    "device": "cpu",
    "data": {"folder": "a", "num_workers": 1},
    "sweep": {"report": True},
}


def begun(output: str) -> str:
    """The study's name, as the command's first line about it has it."""
    found = re.search(r"^The study (\S+) begins\.$", output, re.MULTILINE)
    assert found, output
    return found[1]


def test_the_same_command_resumes_a_stopped_study_and_otherwise_starts_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = begun(run(None, *GRID, cwd=tmp_path))
    assert re.fullmatch(r"x-[0-9a-f]{8}", first)
    check_complete(SWEEPS / first, 3)

    second = f"{first}-2"
    folder = SWEEPS / second
    folder.mkdir()
    (folder / "hold").touch()
    process = start(None, *GRID, cwd=tmp_path)
    await_that(lambda: f"The study {first} is finished, with 3 of 3 trials: {second} begins." in read_line(process))
    await_begun(folder, 2, process)
    os.killpg(process.pid, signal.SIGINT)
    await_that(lambda: "Ctrl-C" in read_line(process))
    (folder / "hold").unlink()
    assert "To resume, give the same command again." in finish(process)
    assert process.returncode != 0 and states(folder) == ["COMPLETE"] * 2

    output = run(None, *GRID, cwd=tmp_path)
    assert f"The study {second} resumes: 2 of 3 trials have ended." in output
    check_complete(folder, 3)
    # The name of a finished study shows it: nothing is run, and no further study is made.
    shown = run(None, *GRID, f"sweep.study_name={first}", cwd=tmp_path)
    assert "3 complete" in shown and f"The study {first} is finished: 3 of 3 trials have ended.\n" in shown
    check_complete(SWEEPS / first, 3)
    assert {path.name for path in (SWEEPS).iterdir()} == {first, second}


@pytest.mark.slow
def test_the_same_command_finishes_what_a_study_ends_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    second = f"{begun(run(None, *GRID, cwd=tmp_path))}-2"
    in_the_way = SWEEPS / second / "sweep.json"
    in_the_way.mkdir(parents=True)
    code, output = end_of(None, *GRID, cwd=tmp_path)
    assert code and "move this folder away and give the same command again" in output
    in_the_way.rmdir()
    assert f"The study {second} resumes: 3 of 3 trials have ended." in run(None, *GRID, cwd=tmp_path)
    assert in_the_way.is_file()
    check_complete(SWEEPS / second, 3)
    assert begun_after(second, run(None, *GRID, cwd=tmp_path))


@pytest.mark.slow
def test_an_ensemble_that_cannot_be_made_is_not_left_to_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(of_sweep, "lacks_ensemble", lambda *_: True)
    monkeypatch.setattr(of_sweep, "make_ensemble_of", lambda *_: "There is no ensemble: it cannot be made.")
    output = run(None, *GRID, "sweep.ensemble=true", cwd=tmp_path)
    assert "There is no ensemble: it cannot be made." in output
    assert begun_after(begun(output), run(None, *GRID, "sweep.ensemble=true", cwd=tmp_path))


def begun_after(finished: str, output: str) -> bool:
    return f"The study {finished} is finished, with 3 of 3 trials: " in output


def name(arguments: list[str], config: dict[str, Any] | None = None, **options: Any) -> str:
    sweep = typed_sweep({"objective": "score", "free_keys": ["device", "data.num_workers"], **options})
    space = Space.read(sweep.space, arguments)
    whole: Any = OmegaConf.create(CONFIG | (config or {}))
    return name_search(sweep, space, plan_of(sweep, space, whole), whole)


@pytest.mark.parametrize(
    ("arguments", "options", "config"),
    [
        (["a.b=1,2", "c=4"], {}, {}),
        (["a.b=1,2,3", "c=3"], {}, {}),
        (["a.b=2,1", "c=3"], {}, {}),
        (["a.b=1,2", "c=3,4"], {}, {}),
        (["a.b=1,2", "c=3"], {"sampler": "random"}, {}),
        (["a.b=1,2", "c=3"], {"seeds": 3}, {}),
        (["a.b=1,2", "c=3"], {"seed": 3}, {}),
        (["a.b=1,2", "c=3"], {"objective": "loss"}, {}),
        (["a.b=1,2", "c=3"], {"direction": "minimize"}, {}),
        (["a.b=1,2", "c=3"], {"constraints": {"num_parameters": {"at_most": 5}}}, {}),
        (["a.b=1,2", "c=3"], {}, {"data": {"folder": "b", "num_workers": 1}}),
        (["a.b=1,2", "c=3"], {}, {"hydra": {"job": {"name": "other", "config_name": "config"}}}),
    ],
)
def test_another_search_has_another_name(arguments: list[str], options: dict[str, Any], config: dict[str, Any]) -> None:
    assert name(arguments, config, **options) != name(["a.b=1,2", "c=3"])


@pytest.mark.parametrize(
    ("arguments", "options", "config"),
    [
        (["c=3", "a.b=1,2"], {}, {}),
        (["a.b=1,2", "c=3"], {"constraints": {}}, {}),
        (["a.b=choice(1,2)", "c=3", "device=cuda"], {}, {"device": "cuda"}),
        (["a.b=1,2", "c=3"], {"report": False, "max_failures": 3, "storage": "sqlite:///f.db"}, {}),
        (["a.b=1,2", "c=3", "+data.num_workers=4"], {}, {"data": {"folder": "a", "num_workers": 4}}),
        (["a.b=1,2", "c=3"], {}, {"run_dir": "b", "hydra": CONFIG["hydra"] | {"runtime": {"cwd": "/b"}}}),
    ],
)
def test_how_and_where_a_search_runs_does_not_change_its_name(
    arguments: list[str], options: dict[str, Any], config: dict[str, Any]
) -> None:
    assert name(arguments, config, **options) == name(["a.b=1,2", "c=3"])


def test_the_name_says_what_is_searched() -> None:
    assert re.fullmatch(r"a\.b\+c-[0-9a-f]{8}", name(["a.b=1,2", "c=interval(1,2)", "d=5"]))
    assert name(["d=5"]).startswith("single-")
    assert name(["data/reader@x=a,b"]).startswith("data_reader_x-")
    assert len(name([f"{'k' * 40}{i}=1,2" for i in range(9)])) == 69


@pytest.fixture(params=[None, "sqlite:///s.db"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()
    found: str | None = request.param
    return found


def leave(study_name: str, url: str | None, num_complete: int, num_trials: int) -> optuna.Study:
    storage = open_storage(url or journal_url(SWEEPS / study_name), 10)
    study = optuna.create_study(study_name=study_name, storage=storage, load_if_exists=True)
    study.set_user_attr(TOTAL, num_trials)
    for _ in range(num_complete):
        study.add_trial(optuna.create_trial(value=1.0))
    return study


def test_the_last_study_of_a_search_is_resumed_or_followed_by_a_new_one(url: str | None) -> None:
    assert choose_study("a", SweepConfig(storage=url)) == ("a", "The study a begins.")
    leave("a", url, 1, 3)
    assert choose_study("a", SweepConfig(storage=url))[0] == "a"
    leave("a", url, 2, 3)
    assert choose_study("a", SweepConfig(storage=url))[0] == "a-2"
    last = leave("a-2", url, 3, 3)
    last.set_user_attr(REPORTED, False)
    assert choose_study("a", SweepConfig(storage=url))[0] == "a-2"
    last.set_user_attr(REPORTED, True)
    chosen, line = choose_study("a", SweepConfig(storage=url))
    assert chosen == "a-3" and line.startswith("The study a-2 is finished, with 3 of 3 trials: a-3 begins. ")
    leave("a-3", url, 0, 3)
    leave("a-30", url, 3, 3)
    assert choose_study("a", SweepConfig(storage=url))[0] == "a-3"


def test_trials_that_a_lower_number_left_are_run_by_the_first_one(url: str | None) -> None:
    leave("a", url, 2, 2).set_user_attr(MOST, 4)
    for asked, chosen in ((4, "a"), (None, "a"), (9, "a"), (2, "a-2")):
        assert choose_study("a", SweepConfig(storage=url, num_trials=asked))[0] == chosen
    assert "a resumes: 2 of 4 trials have ended" in choose_study("a", SweepConfig(storage=url, num_trials=4))[1]


@pytest.mark.slow
def test_a_lower_number_leaves_trials_to_the_first_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    search = ("x=interval(0.0,1.0)", "sweep.sampler=random")
    first = begun(run(None, *search, "sweep.num_trials=2", cwd=tmp_path))
    study = optuna.load_study(study_name=first, storage=open_storage(journal_url(SWEEPS / first), 10))
    study.set_user_attr(TOTAL, 4)  # as if a command with 4 had been stopped
    open_storage.cache_clear()
    run(None, *search, "sweep.num_trials=2", cwd=tmp_path)
    assert f"The study {first} resumes: 2 of 4" in run(None, *search, "sweep.num_trials=4", cwd=tmp_path)
    check_complete(SWEEPS / first, 4)


def test_a_finished_study_resumes_if_its_failed_trials_are_to_be_run_again(url: str | None) -> None:
    study = leave("a", url, 2, 3)
    study.add_trial(optuna.create_trial(state=TrialState.FAIL))
    assert choose_study("a", SweepConfig(storage=url))[0] == "a-2"
    assert choose_study("a", SweepConfig(storage=url, retry_failed=True))[0] == "a"
    study.add_trial(optuna.create_trial(value=1.0, user_attrs={RETRY_OF: 2}))
    chosen, line = choose_study("a", SweepConfig(storage=url, retry_failed=True))
    assert chosen == "a-2" and "is finished, with 3 of 3 trials" in line
    leave("a", url, 0, 1)
    assert "is finished, with 3 of 3 trials" in choose_study("a", SweepConfig(storage=url))[1]


def test_a_study_without_its_final_scores_is_unfinished(url: str | None) -> None:
    study = leave("a", url, 2, 2)
    held_back = SweepConfig(storage=url, search_overrides=["score_test=false"])
    assert choose_study("a", held_back)[0] == "a"
    study.set_user_attr(f"{FINAL}0", "done")
    assert choose_study("a", held_back)[0] == "a-2"
    # The first that was enqueued is scored next to the best.
    study.add_trial(optuna.create_trial(value=2.0, user_attrs={ENQUEUED: '{"x":3}'}))
    study.set_user_attr(REFERENCE, '{"x":3}')
    assert choose_study("a", held_back)[0] == "a"
    study.set_user_attr(f"{FINAL}2", "done")
    assert choose_study("a", held_back)[0] == "a-2"


def test_a_copy_of_a_study_is_not_its_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()
    leave("a", None, 1, 3).set_user_attr(IDENTITY, {})
    shutil.copytree(SWEEPS / "a", SWEEPS / "a-2")
    chosen, line = choose_study("a", SweepConfig())
    assert chosen == "a" and line.startswith("The study a resumes: 1 of 3 trials have ended.")
    leave("a", None, 2, 3)
    assert choose_study("a", SweepConfig())[0] == "a-3"
    shutil.rmtree(SWEEPS / "a")
    assert choose_study("a", SweepConfig()) == ("a", "The study a begins.")


def test_a_journal_without_a_study_starts_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_storage.cache_clear()
    (SWEEPS / "a").mkdir(parents=True)
    (SWEEPS / "a" / "study.journal").touch()
    assert choose_study("a", SweepConfig()) == ("a", "The study a begins.")


def test_the_study_of_a_yaml_in_a_folder_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    yaml = tmp_path / "conf" / "sweep" / "lamost" / "mine.yaml"
    yaml.parent.mkdir(parents=True)
    yaml.write_text("defaults:\n  - default\n  - _self_\nnum_trials: 1\n")
    assert begun(run(None, "sweep=lamost/mine", "--config-dir=conf", cwd=tmp_path)) == "lamost-mine"
    assert ls.main([]) == 0 and "lamost-mine  study  finished" in capsys.readouterr().out
    (SWEEPS / "lamost" / "mine").mkdir(parents=True)  # of an earlier version
    assert begun(run(None, "sweep=lamost/mine", "--config-dir=conf", cwd=tmp_path)) == "lamost/mine"
