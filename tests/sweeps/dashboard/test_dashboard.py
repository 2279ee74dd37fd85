"""What the dashboard shows of studies, and what it may change, without a browser."""

import json
import shutil
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import dashboard_runs
import optuna
import pytest
from dashboard_runs import dashboard, png, track_online
from loop_runs import Call, sweep
from optuna.artifacts import download_artifact, get_all_artifact_meta
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from sweeps.dashboard import command, study_view
from sweeps.dashboard.artifacts import PlotArtifacts
from sweeps.dashboard.joined_storage import JoinedStorage
from sweeps.dashboard.sources import StudySources
from sweeps.storage.connect import open_storage
from sweeps.storage.journal import SafeJournal

SPACE = {"x": [1, 2, 3]}


def task(call: Call) -> float:
    """Write a picture; the third configuration fails."""
    (call.folder / "plots").mkdir()
    (call.folder / "plots" / "curves.png").write_bytes(png(3, 2))
    if call.values["x"] == 3:
        raise ArithmeticError("three")
    return float(call.values["x"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of two studies with three trials each."""
    open_storage.cache_clear()
    for name in ("a", "b"):
        sweep(tmp_path / "sweeps" / name, SPACE, task, sampler="grid")
    return tmp_path / "sweeps"


def opened(folder: Path) -> tuple[JoinedStorage, PlotArtifacts]:
    plots = PlotArtifacts()
    return JoinedStorage(StudySources(folder, None), plots), plots


def note_of(studies: JoinedStorage, trial_id: int, study_id: int) -> str:
    """As the dashboard itself reads it."""
    note = pytest.importorskip("optuna_dashboard._note")
    body: str = note.get_note_from_system_attrs(studies.get_study_system_attrs(study_id), trial_id)["body"]
    return body


def test_trials_of_all_studies_have_ids_of_their_own(folder: Path) -> None:
    studies, _ = opened(folder)
    found = studies.get_all_studies()
    ids = [trial._trial_id for study in found for trial in studies.get_all_trials(study._study_id)]
    assert len(found) == 2 and len(set(ids)) == 6
    for trial_id in ids:
        assert studies.get_trial(trial_id)._trial_id == trial_id
    # Optuna itself reads the same from it as from the studies' own storages.
    own = optuna.load_study(study_name="study", storage=JournalStorage(SafeJournal(folder / "b" / "study.journal", 5)))
    assert [study.study_name for study in found] == ["study", "study (b, 1)"]
    joined = optuna.load_study(study_name="study (b, 1)", storage=studies)
    for mine, theirs in zip(joined.trials, own.trials, strict=True):
        assert (mine.number, mine.values, mine.params, mine.state) == (
            theirs.number,
            theirs.values,
            theirs.params,
            theirs.state,
        )
    assert joined.metric_names == ["score"] and joined.best_value == own.best_value


def test_ended_trials_have_notes_and_pictures_and_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    before = (folder / "a" / "study.journal").read_bytes()
    studies, plots = opened(folder)
    (done, _, failed) = studies.get_all_trials(0)
    assert note_of(studies, done._trial_id, 0).startswith(f"**complete**\n\n- run folder `{folder / 'a' / '0'}`")
    assert " \\\n  x=1\n```" in note_of(studies, done._trial_id, 0)
    assert "**fail**: `ArithmeticError: three`" in note_of(studies, failed._trial_id, 0)
    (meta,) = get_all_artifact_meta(done, storage=studies)
    assert meta.filename == "curves.png"
    download_artifact(artifact_store=plots, artifact_id=meta.artifact_id, file_path=str(tmp_path / "got.png"))
    assert (tmp_path / "got.png").read_bytes() == png(3, 2)
    assert (folder / "a" / "study.journal").read_bytes() == before


@pytest.mark.slow
@pytest.mark.usefixtures("no_key")
def test_the_note_of_a_trial_that_is_on_a_server_links_to_it(folder: Path) -> None:
    url = track_online(folder / "b" / "1")
    studies, _ = opened(folder)
    studies.get_all_studies()
    first, second, _ = studies.get_all_trials(1)
    assert f"- [Weights & Biases]({url})" in note_of(studies, second._trial_id, 1).splitlines()
    assert "Weights & Biases" not in note_of(studies, first._trial_id, 1)


def test_the_command_of_a_trial_whose_first_seed_failed_has_that_seed(tmp_path: Path) -> None:
    sweep(tmp_path / "a", {"x": [2, 3]}, task, sampler="grid", seeds=[4, 5])
    studies, _ = opened(tmp_path)
    failed = next(trial for trial in studies.get_all_trials(0) if trial.state == TrialState.FAIL)
    note = studies.get_study_system_attrs(0)[f"dashboard:{failed._trial_id}:note_str:0"]
    assert " \\\n  x=3 \\\n  seed=4\n```" in note
    assert "was scored with" not in note


def test_only_the_last_trials_that_ended_have_a_note(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dashboard searches all notes for each trial."""
    monkeypatch.setattr(study_view, "NUM_NOTED", 2)
    studies, _ = opened(folder)
    studies.get_all_studies()
    ids, kept = [trial._trial_id for trial in studies.get_all_trials(0)], studies.get_study_system_attrs(0)
    assert [f"dashboard:{trial_id}:note_str:0" in kept for trial_id in ids] == [False, True, True]


def test_a_note_written_in_the_browser_stays_with_its_trial(folder: Path) -> None:
    note = pytest.importorskip("optuna_dashboard._note")
    studies, _ = opened(folder)
    trial = studies.get_all_trials(1)[2]
    note.save_note_with_version(studies, 1, trial._trial_id, 2, "mine")
    again, _ = opened(folder)
    assert note_of(again, trial._trial_id, 1) == "mine"
    assert "**complete**" in note_of(again, studies.get_all_trials(1)[0]._trial_id, 1)
    assert "mine" not in note_of(again, studies.get_all_trials(0)[2]._trial_id, 0)
    # Optuna's own dashboard on the study's journal alone finds it at the same trial.
    own = JournalStorage(SafeJournal(folder / "b" / "study.journal", 5))
    assert note.get_note_from_system_attrs(own.get_study_system_attrs(0), own.get_all_trials(0)[2]._trial_id) == {
        "version": 2,
        "body": "mine",
    }


def test_a_study_that_was_deleted_or_restarted_is_shown_as_it_is_now(folder: Path) -> None:
    studies, _ = opened(folder)
    assert [len(studies.get_all_trials(study._study_id)) for study in studies.get_all_studies()] == [3, 3]
    shutil.rmtree(folder / "a")
    assert [study._study_id for study in studies.get_all_studies()] == [1]
    open_storage.cache_clear()
    sweep(folder / "a", {"x": [1, 2]}, task, sampler="grid")
    assert [len(studies.get_all_trials(study._study_id)) for study in studies.get_all_studies()] == [3, 2]


def test_a_broken_journal_does_not_hide_other_studies(folder: Path) -> None:
    (folder / "c").mkdir()
    (folder / "c" / "study.journal").write_text('{"op_code":0,"worker_id":"a-1"}\n')
    studies, _ = opened(folder)
    assert len(studies.get_all_studies()) == 2


def test_the_best_trial_satisfies_the_constraints(tmp_path: Path) -> None:
    studies_folder = tmp_path / "sweeps"
    study = optuna.create_study(
        study_name="s", storage=open_storage(f"journal://{studies_folder / 's' / 'study.journal'}", 5)
    )
    for value, violation in ((1.0, 0.5), (2.0, -0.5)):
        trial = study.ask()
        trial.set_constraint("size", violation)
        study.tell(trial, value)
    studies, _ = opened(studies_folder)
    assert studies.get_best_trial(0).number == 1
    assert [t.system_attrs["constraints"] for t in studies.get_all_trials(0)] == [[0.5], [-0.5]]


def test_a_running_trial_has_no_note(tmp_path: Path) -> None:
    study = optuna.create_study(
        study_name="s", storage=open_storage(f"journal://{tmp_path / 'sweeps' / 's' / 'study.journal'}", 5)
    )
    trial = study.ask()
    studies, _ = opened(tmp_path / "sweeps")
    studies.get_all_studies()
    assert note_of(studies, 0, 0) == "" and studies.get_trial(0).state == TrialState.RUNNING
    study.tell(trial, 1.0)
    assert note_of(studies, 0, 0).startswith("**complete**") and studies.get_trial(0).values == [1.0]


def answer(url: str, method: str = "GET", content: Any = None) -> tuple[int, bytes]:
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_browser_may_write_notes_and_nothing_else(folder: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    with dashboard(folder) as (address, process):
        for method, path in (("DELETE", "/api/studies/0"), ("POST", "/api/trials/0/tell"), ("POST", "/api/studies")):
            status, body = answer(address + path, method, {"state": "fail"})
            assert status == 403 and "changes nothing else" in json.loads(body)["reason"]
        assert answer(f"{address}/api/studies/0/1/note", "PUT", {"version": 2, "body": "mine"})[0] == 204
        studied = json.loads(answer(f"{address}/api/studies/0")[1])
        assert [trial["note"]["body"] == "mine" for trial in studied["trials"]] == [False, True, False]
        (artifact,) = studied["trials"][0]["artifacts"]
        assert answer(f"{address}/artifacts/0/0/{artifact['artifact_id']}") == (200, png(3, 2))
        assert answer(f"{address}/artifacts/0/0/00000000-0000-0000-0000-000000000000")[0] == 404
        assert dashboard_runs.end(process) == "\nThe dashboard has ended.\n"


def test_a_folder_that_cannot_be_served_is_reported_in_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna_dashboard")
    assert command.main(["--folder", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == (
        f"error: there is no study in {tmp_path / 'none'}: start a sweep, or name another place with --folder.\n"
    )
    url = f"sqlite:///{tmp_path / 'none.db'}"
    assert command.main(["--folder", str(folder), "--storage", url]) == 2
    assert capsys.readouterr().err == f"error: there is no file {tmp_path / 'none.db'}, which --storage={url} names.\n"
    assert command.main(["--folder", str(folder), "--storage", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("error: --storage is not the URL of a database: ")
    assert not (tmp_path / "none.db").exists()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert command.main(["--folder", str(folder), "--port", str(port)]) == 2
    assert capsys.readouterr().err.startswith(f"error: port {port} is in use: ")
    assert command.main(["--folder", str(folder), "--host", "192.0.2.1"]) == 2
    assert (
        capsys.readouterr().err
        == "error: the dashboard cannot listen on 192.0.2.1:8080: Cannot assign requested address.\n"
    )
    assert command.main(["--folder", str(folder), "--port", "99999"]) == 2
    assert capsys.readouterr().err == "error: --port 99999 is out of range: allowed is 0 to 65535.\n"
