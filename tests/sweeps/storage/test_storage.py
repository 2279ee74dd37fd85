"""The storage: killed writers, held locks, a folder missing for a while, controllers that claim at the same time."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import optuna
import pytest
from claim_race import claimed_concurrently, open_concurrently
from filelock import FileLock
from loop_runs import Call, open_study, sweep
from optuna.storages import JournalStorage
from optuna.trial import TrialState
from search_runs import REPOSITORY
from slow_cases import slow_after

from spectral.errors import UserError
from sweeps.storage import connect as storage_module
from sweeps.storage.connect import open_storage
from sweeps.storage.journal import SafeJournal
from sweeps.storage.locks import is_locked
from sweeps.storage.retrying import call_until_it_answers
from sweeps.study.controllers import Controller
from sweeps.study.ownership import TakenOver
from sweeps.study.shared_study import SharedStudy

SPACE = {"x": {"low": 0.0, "high": 1.0}}


def journal_study(path: Path) -> optuna.Study:
    return optuna.create_study(storage=JournalStorage(SafeJournal(path, 10)), study_name="s", load_if_exists=True)


@pytest.mark.parametrize("num_bytes", [1, 20, 10_000])
def test_a_truncated_line_is_dropped_and_the_journal_continues(num_bytes: int, tmp_path: Path) -> None:
    path = tmp_path / "j"
    study = journal_study(path)
    study.add_trial(optuna.create_trial(value=1.0))
    study.set_user_attr("long", "x" * 200_000)
    content = path.read_bytes()
    path.write_bytes(content[:-num_bytes])  # of the last line, its newline included
    again = journal_study(path)
    assert len(again.trials) == 1 and "long" not in again.user_attrs
    again.add_trial(optuna.create_trial(value=2.0))
    assert [trial.value for trial in journal_study(path).trials] == [1.0, 2.0]
    # So does a reader that was open all the time.
    assert path.read_bytes().endswith(b"\n") and len(again.trials) == 2


WRITER = """
import sys, optuna
from pathlib import Path
from optuna.storages import JournalStorage
from sweeps.storage.journal import SafeJournal
optuna.logging.set_verbosity(optuna.logging.WARNING)
journal = JournalStorage(SafeJournal(Path(sys.argv[1]), 10))
study = optuna.create_study(storage=journal, study_name="s", load_if_exists=True)
print("ready", flush=True)
while True:
    study.add_trial(optuna.create_trial(value=1.0, user_attrs={"long": "x" * 5000}))
"""


def test_killed_writers_leave_a_journal_that_can_be_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "j"
    for round_ in range(3):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(path)],
                env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
                stdout=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for writer in writers:
            assert writer.stdout and writer.stdout.readline()
        time.sleep(0.05 * round_)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.communicate()
        study = journal_study(path)
        num = len(study.trials)
        study.add_trial(optuna.create_trial(value=1.0))
        assert len(journal_study(path).trials) == num + 1


def test_a_locked_storage_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is held far longer than one attempt waits for it, shortened."""
    monkeypatch.setattr(storage_module, "LOCK_WAIT_S", 0.1)
    open_storage.cache_clear()
    study = open_study(tmp_path, SPACE, num_trials=3, storage_timeout_s=60)
    lock = FileLock(f"{tmp_path / 'study.journal'}.lock", thread_local=False)
    lock.acquire()
    released: list[bool] = []

    def release() -> None:
        released.append(True)
        lock.release()

    threading.Timer(1.0, release).start()
    assert study.claim() is not None
    assert released
    study.close()


def test_an_unreachable_storage_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_storage.cache_clear()
    folder, away = tmp_path / "there", tmp_path / "away"
    study = open_study(folder, SPACE, num_trials=3, storage_timeout_s=60)
    folder.rename(away)
    threading.Timer(1.0, lambda: away.rename(folder)).start()
    trial = study.claim()
    assert trial is not None and not away.exists()
    assert "The storage does not answer: waiting 60 s" in caplog.text
    study.finish(trial, TrialState.COMPLETE, [1.0])
    study.close()
    assert study.trials()[0].state == TrialState.COMPLETE


def test_a_storage_that_stays_unreachable_is_an_error(tmp_path: Path) -> None:
    open_storage.cache_clear()
    study = open_study(tmp_path / "there", SPACE, num_trials=3, storage_timeout_s=0.3)
    (tmp_path / "there").rename(tmp_path / "away")
    with pytest.raises(UserError, match=r"the storage of the study did not answer for 0.3 s \(FileNotFoundError: "):
        study.claim()
    study.close()


def test_a_storage_that_stays_unreachable_ends_the_sweep_and_a_later_one_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep waits for the storage once, not again for each trial that is given back."""
    open_storage.cache_clear()
    file, given_back = tmp_path / "there" / "s", []
    monkeypatch.setattr(SharedStudy, "give_back", lambda _, trial: given_back.append(trial))

    def lose(call: Call) -> float:
        if call.folder.name == "1":
            file.parent.rename(tmp_path / "away")
        return 1.0

    options = {"num_trials": 3, "num_slots": 1, "storage": f"journal://{file}"}
    with pytest.raises(UserError, match=r"did not answer for 0\.3 s"):
        sweep(tmp_path / "sweep", SPACE, lose, storage_timeout_s=0.3, **options)
    assert not given_back
    (tmp_path / "away").rename(file.parent)
    # This process lives: other tests cover what a dead one left.
    monkeypatch.setattr(Controller, "runs", lambda _: False)
    open_storage.cache_clear()
    assert sweep(tmp_path / "sweep", SPACE, lambda call: 1.0, **options).states == ["COMPLETE"] * 3


@pytest.mark.parametrize("error", [IsADirectoryError, NotADirectoryError, PermissionError])
def test_an_error_that_waiting_cannot_fix_is_raised_at_once(error: type[OSError]) -> None:
    calls = []

    def call() -> None:
        calls.append(1)
        raise error("as asked")

    with pytest.raises(UserError, match=rf"cannot be used \({error.__name__}: as asked\)"):
        call_until_it_answers(call, 600)
    assert calls == [1]


@pytest.mark.parametrize("scheme", slow_after(1, [None, "sqlite", "sqlite+pysqlite"]))
def test_controllers_that_claim_at_once_stop_at_the_total(scheme: str | None, tmp_path: Path) -> None:
    url = f"{scheme}:///{tmp_path}/s.db" if scheme else None
    assert sorted(claimed_concurrently(tmp_path, url)) == list(range(40))


@pytest.mark.slow
def test_several_processes_can_open_an_empty_database_at_once(tmp_path: Path) -> None:
    open_concurrently([f"sqlite:///{tmp_path}/{num}.db" for num in range(6)])


def test_a_sweep_can_use_sqlite(tmp_path: Path) -> None:
    ended = sweep(
        tmp_path, SPACE, lambda call: call.values["x"], num_trials=3, storage=f"sqlite:///{tmp_path / 's.db'}"
    )
    assert ended.states == ["COMPLETE"] * 3


@pytest.mark.parametrize("parameters", [False, True])
def test_a_trial_of_a_dead_controller_keeps_number_and_parameters(parameters: bool, tmp_path: Path) -> None:
    open_storage.cache_clear()
    dead = open_study(tmp_path, SPACE, num_trials=2)
    trial = dead.claim()
    assert trial is not None
    values = dead.space.suggest(trial) if parameters else None
    dead.close()
    object.__setattr__(dead.controller, "pid", 2**22 + 1)  # no such process
    dead.ownership.beat()
    alive = open_study(tmp_path, SPACE, num_trials=2)
    again = alive.claim()
    assert again is not None and again.number == trial.number
    if parameters:
        assert alive.space.suggest(again) == values
    assert len(alive.trials()) == 1
    # If the dead one wakes, it leaves the trial alone.
    with pytest.raises(TakenOver):
        dead.finish(trial, TrialState.COMPLETE, [0.0])
    assert alive.trials()[0].state == TrialState.RUNNING
    alive.close()


def test_a_trial_taken_over_and_the_next_one_draw_different_values(tmp_path: Path) -> None:
    """Each draws by its own number, whatever was there when it was claimed."""
    open_storage.cache_clear()
    dead = open_study(tmp_path, SPACE, num_trials=3, sampler="random")
    assert dead.claim() is not None
    dead.close()
    object.__setattr__(dead.controller, "pid", 2**22 + 1)  # no such process
    dead.ownership.beat()
    alive = open_study(tmp_path, SPACE, num_trials=3, sampler="random")
    drawn = draw_two(alive)
    assert drawn[0] != drawn[1]
    assert drawn == draw_two(open_study(tmp_path / "undisturbed", SPACE, num_trials=3, sampler="random"))


def draw_two(study: SharedStudy) -> list[Any]:
    """The values of the next two trials, each drawn when it is claimed."""
    drawn = []
    for _ in range(2):
        trial = study.claim()
        assert trial is not None
        drawn.append(study.space.suggest(trial))
    study.close()
    return drawn


def test_a_trial_cannot_be_taken_over_while_its_end_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_storage.cache_clear()
    study = open_study(tmp_path, SPACE, num_trials=1)
    trial = study.claim()
    assert trial is not None
    tell, held = study.study.tell, []

    def tell_and_look(*arguments: Any) -> Any:
        held.append(is_locked(tmp_path / "study.journal.claim.lock"))
        return tell(*arguments)

    monkeypatch.setattr(study.study, "tell", tell_and_look)
    assert study.finish(trial, TrialState.COMPLETE, [0.0]).state == TrialState.COMPLETE
    assert held == [True]
    study.close()
