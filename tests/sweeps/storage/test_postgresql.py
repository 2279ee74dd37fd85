"""A study kept by a real PostgreSQL server: shared, restarted in mid-sweep, resumed; its password stays secret."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from claim_race import claimed_concurrently, open_concurrently
from loop_runs import open_study
from optuna.trial import TrialState
from postgresql_server import PASSWORD, Server, reason_to_skip
from search_runs import REPOSITORY, await_begun, check_complete, finish, run, start, trials
from waiting import await_that

from sweeps.study import controllers

pytestmark = [pytest.mark.slow, pytest.mark.skipif(reason_to_skip() is not None, reason=str(reason_to_skip()))]
pytest.importorskip("psycopg", reason="the extra `postgresql` is not installed")

SPACE = {"x": {"low": 0.0, "high": 1.0}}
ONE_SLOT = "hydra.launcher.jobs_per_device=1"
GONE_S = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.remove()


@pytest.fixture
def url(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, without the password, which comes from the environment."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return server.new_database()


def test_two_controllers_share_the_total_and_no_file_holds_the_password(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    options = ("sweep.num_trials=9", "epoch_s=0.2", ONE_SLOT, f"sweep.storage={url}", "hydra.output_subdir=.hydra")
    both = [start(folder, *options) for _ in range(2)]
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
        assert "9 complete" in output and PASSWORD not in output
    check_complete(folder, 9, url)
    assert len({trial.user_attrs["owner"] for trial in trials(folder, url)}) == 2
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert folder / "0" / ".hydra" / "hydra.yaml" in files
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]


def test_controllers_that_claim_at_once_stop_at_the_total(url: str, tmp_path: Path) -> None:
    assert sorted(claimed_concurrently(tmp_path, url)) == list(range(40))


def test_several_processes_can_open_an_empty_database_at_once(url: str, server: Server) -> None:
    open_concurrently([url, server.new_database(), server.new_database()])


def test_restarting_the_server_loses_no_trial(url: str, server: Server, tmp_path: Path) -> None:
    folder, num_trials = tmp_path / "study", 12
    options = (f"sweep.num_trials={num_trials}", "epoch_s=0.5", ONE_SLOT, f"sweep.storage={url}")
    both = [start(folder, *options) for _ in range(2)]
    ended = folder / "ended"
    await_that(lambda: ended.exists() and len(ended.read_text().split()) >= 3, both[0])
    server.stop()
    try:
        time.sleep(GONE_S)
    finally:
        server.start()
    for process in both:
        output = finish(process)
        assert process.returncode == 0, output
        assert "The storage does not answer: waiting 120 s" in output
    found = trials(folder, url)
    finished = [trial for trial in found if trial.state == TrialState.COMPLETE]
    assert len(finished) == num_trials
    # An answer that was cut off may leave a trial that was never run.
    assert {trial.state for trial in found} <= {TrialState.COMPLETE, TrialState.WAITING}
    assert sorted(ended.read_text().split()) == sorted(Path(trial.user_attrs["run_dir"]).name for trial in finished)
    for trial in finished:
        assert trial.values == [trial.params["x"] * 3] and sorted(trial.intermediate_values) == [1, 2, 3]


def test_every_call_waits_for_an_unreachable_server(
    url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any call of a controller that meets a stopped server waits for it."""
    monkeypatch.setattr(controllers, "BEAT_S", 3600.0)  # a waiting heartbeat would outlive the test
    study = open_study(tmp_path, SPACE, num_trials=2, storage=url)

    def after_restart(call: Callable[[], Any]) -> Any:
        server.stop()
        back = threading.Timer(0.5, server.start)
        back.start()
        try:
            return call()
        finally:
            back.join()

    assert after_restart(study.trials) == []
    first = after_restart(study.claim)
    values = after_restart(lambda: study.space.suggest(first))
    after_restart(lambda: first.report(values["x"], 1))
    after_restart(lambda: study.finish(first, TrialState.COMPLETE, [1.0]))
    second = study.claim()
    after_restart(lambda: study.give_back(second))
    assert [trial.state.name for trial in after_restart(study.trials)] == ["COMPLETE", "WAITING"]
    study.close()


def test_the_same_command_resumes_after_a_killed_controller(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "hold").touch()
    options = ("sweep.num_trials=4", f"sweep.storage={url}")
    process = start(folder, *options)
    await_begun(folder, 2, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert [trial.state.name for trial in trials(folder, url)] == ["RUNNING", "RUNNING"]
    (folder / "hold").unlink()
    assert "its controller was lost" in run(folder, *options)
    check_complete(folder, 4, url)


def test_a_lock_lost_by_the_server_keeps_the_total(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between one controller's count and its claim the server ends its connections, and another claims the last."""
    first, second = (open_study(tmp_path, SPACE, num_trials=1, storage=url) for _ in range(2))
    ask = first.study.ask

    def ask_late() -> Any:
        end_connections(url)
        assert second.claim() is not None
        return ask()

    monkeypatch.setattr(first.study, "ask", ask_late)
    assert first.claim() is None
    assert sorted(trial.state.name for trial in first.trials()) == ["RUNNING", "WAITING"]
    first.close()
    second.close()


def end_connections(url: str) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


def test_a_missing_right_to_create_tables_is_reported(url: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(f"create role guest login password '{PASSWORD}'".encode())
    url = url.replace("//sweeper@", "//guest@")
    process = start(tmp_path / "study", "model.width=4,8", f"sweep.storage={url}", script=REPOSITORY / "run.py")
    last = finish(process).splitlines()[-1]
    assert process.returncode == 2
    assert last.startswith(f"error: sweep.storage={url} cannot store studies: ") and "permission denied" in last


@pytest.mark.parametrize(
    ("password", "message"),
    [("wrong", "password authentication failed"), (PASSWORD, 'database "nowhere" does not exist')],
)
def test_a_server_that_refuses_is_reported_in_one_sentence(
    password: str, message: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", password)
    url = url.rpartition("/")[0] + "/nowhere" if password == PASSWORD else url
    options = ("model.width=4,8", f"sweep.storage={url}", "sweep.storage_timeout_s=1")
    process = start(tmp_path / "study", *options, script=REPOSITORY / "run.py")
    last = finish(process).splitlines()[-1]
    assert process.returncode == 2
    assert last.startswith("error: the storage of the study did not answer for 1 s (") and message in last
    assert last.endswith("fix it and give the same command again.")
