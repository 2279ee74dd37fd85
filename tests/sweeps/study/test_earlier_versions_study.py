"""A study of an earlier version is listed, exported, reported and resumed."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from earlier_versions import VERSIONS, enter_copy, study_command
from search_runs import REPOSITORY, finish, trials
from small_runs import composed

from sweeps import export
from sweeps.ls import command as ls
from sweeps.planning.checks import directions, objective_names, typed_sweep
from sweeps.report import command as report
from sweeps.space import Space
from sweeps.storage.connect import open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.controllers import Controller
from sweeps.study.shared_study import SharedStudy

STUDY = Path("outputs/sweeps/small")


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A version, whose study is in the working directory."""
    enter_copy(request.param, tmp_path, monkeypatch)
    open_storage.cache_clear()
    return str(request.param)


def bring_here() -> None:
    """Pretend that the killed controller ran on this machine, so that nothing waits for its heartbeat."""
    journal = STUDY / "study.journal"
    here = json.dumps(Controller.this().machine)
    journal.write_text(re.sub(r'"machine":"[^"]*"', f'"machine":{here}', journal.read_text()))


def test_a_study_of_an_earlier_version_is_listed(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ls.main(["--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["name"], entry["kind"], entry["num_done"], entry["num_total"]) == ("small", "study", 3, 5)
    assert entry["status"] in ("stopped", "stale") and entry["values"] == [0.6]


def test_a_study_of_an_earlier_version_is_exported(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["small"]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert list(table["state"]) == ["complete"] * 3 + ["running"]
    assert list(table["model.width"]) == [2, 4, 2, 4]
    assert list(table["run_dir"]) == [str(STUDY.absolute() / str(number)) for number in range(4)]
    assert (table["seconds"][:3] > 0).all()


def test_a_study_of_an_earlier_version_has_a_report(version: str) -> None:
    assert report.main(["small"]) == 0
    page = (STUDY / "report.html").read_text()
    assert "optimizer.lr" in page and "model.dilations" in page


def test_trials_of_its_dead_controller_are_taken_over_first(version: str) -> None:
    bring_here()
    command = study_command(version)
    sweep = typed_sweep(composed(["run_dir=never", *(o for o in command if o.startswith("sweep."))]).sweep)
    of_jobs = [override for override in command if not override.startswith(("sweep.", "hydra."))]
    names = objective_names(sweep)
    study = SharedStudy(
        config=sweep,
        name="small",
        url=journal_url(STUDY),
        space=Space.read({}, of_jobs),
        objectives=names,
        directions=directions(sweep, names),
        num_trials=sweep.num_trials or 0,
    )
    claimed = [study.claim() for _ in range(3)]
    study.close()
    assert [trial and trial.number for trial in claimed] == [3, 4, None]


@pytest.mark.slow
def test_the_same_command_resumes_a_study_of_an_earlier_version(version: str) -> None:
    before = trials(STUDY)
    bring_here()
    command = [sys.executable, str(REPOSITORY / "run.py"), "-m", *study_command(version)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    output = finish(
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    )
    assert "Trial 3 is run again: its controller was lost." in output
    after = trials(STUDY)
    assert [trial.state.name for trial in after] == ["COMPLETE"] * 5, output
    assert [trial.user_attrs["run_dir"] for trial in after] == [str(STUDY / str(number)) for number in range(5)]
    assert [trial.values for trial in after[:3]] == [trial.values for trial in before[:3]]
    assert after[3].params == before[3].params and after[3].user_attrs["attempts"] == 2
