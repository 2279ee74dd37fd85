"""Storages that wait: every method of Optuna's storages is repeated, and nothing is written twice."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage, _CachedStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.study import StudyDirection
from optuna.trial import TrialState

from spectral.errors import UserError
from sweeps.storage.connect import open_storage
from sweeps.storage.journal import SafeJournal
from sweeps.storage.retrying_storage import RetryingJournal, RetryingStorage


class Flaky:
    """Pass calls on to a storage or a journal; every method fails on its first calls."""

    def __init__(self, inner: Any, num_failures: int = 1) -> None:
        self._inner, self._num_failures = inner, num_failures
        self.num_failed: dict[str, int] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if self.num_failed.setdefault(name, 0) < self._num_failures:
                self.num_failed[name] += 1
                raise OSError(f"{name} is gone")
            return method(*arguments, **named)

        return call


def own_methods(storage: type) -> set[str]:
    """The public methods that a storage class defines for BaseStorage's own."""
    public = {name for name, _ in inspect.getmembers(BaseStorage, inspect.isfunction) if not name.startswith("_")}
    return public & set(vars(storage))


@pytest.mark.parametrize("optunas", [_CachedStorage, JournalStorage])
def test_every_method_that_a_storage_of_optuna_defines_is_passed_on(optunas: type) -> None:
    """A new version of Optuna may add methods: one that is not passed on would not wait, or be slow."""
    assert not RetryingStorage.__abstractmethods__ and not RetryingJournal.__abstractmethods__
    needed = own_methods(optunas) | BaseStorage.__abstractmethods__
    assert needed <= own_methods(RetryingStorage), needed - own_methods(RetryingStorage)
    assert BaseJournalBackend.__abstractmethods__ <= set(vars(RetryingJournal))


def test_every_call_is_repeated_until_it_succeeds() -> None:
    flaky = Flaky(InMemoryStorage())
    storage = RetryingStorage(flaky, timeout_s=60)  # type: ignore[arg-type]  # a stand-in
    study_id = storage.create_new_study([StudyDirection.MINIMIZE], "s")
    storage.set_study_user_attr(study_id, "a", 1)
    storage.set_study_system_attr(study_id, "b", 2)
    trial_id = storage.create_new_trial(study_id)
    storage.set_trial_param(trial_id, "x", 0.5, optuna.distributions.FloatDistribution(0, 1))
    storage.set_trial_intermediate_value(trial_id, 1, 3.0)
    storage.set_trial_user_attr(trial_id, "c", 3)
    storage.set_trial_system_attr(trial_id, "d", 4)
    assert storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0])
    assert storage.get_study_id_from_name("s") == study_id
    assert storage.get_study_name_from_id(study_id) == "s"
    assert storage.get_study_directions(study_id) == [StudyDirection.MINIMIZE]
    assert storage.get_study_user_attrs(study_id) == {"a": 1}
    assert storage.get_study_system_attrs(study_id) == {"b": 2}
    assert [study.study_name for study in storage.get_all_studies()] == ["s"]
    assert storage.get_trial_id_from_study_id_trial_number(study_id, 0) == trial_id
    trial = storage.get_trial(trial_id)
    assert (trial.params, trial.user_attrs, trial.system_attrs) == ({"x": 0.5}, {"c": 3}, {"d": 4})
    assert trial.intermediate_values == {1: 3.0}
    assert storage.get_all_trials(study_id, states=(TrialState.COMPLETE,)) == [trial]
    assert storage.get_best_trial(study_id) == trial
    storage.remove_session()
    storage.delete_study(study_id)
    assert set(flaky.num_failed) == own_methods(RetryingStorage)


def test_a_storage_that_stays_unreachable_ends_in_one_sentence_after_the_timeout() -> None:
    storage = RetryingStorage(Flaky(InMemoryStorage(), 1000), timeout_s=0.1)  # type: ignore[arg-type]  # a stand-in
    with pytest.raises(UserError, match=r"did not answer for 0\.1 s \(OSError: get_all_studies is gone\)"):
        storage.get_all_studies()


def test_an_error_that_is_not_of_the_storage_is_raised_at_once() -> None:
    with pytest.raises(KeyError):
        RetryingStorage(InMemoryStorage(), timeout_s=60).get_trial(7)


def test_a_journal_that_cannot_be_read_after_an_entry_has_that_entry_once(tmp_path: Path) -> None:
    """JournalStorage appends and then reads: repeating both would append twice."""
    flaky = Flaky(SafeJournal(tmp_path / "j", 10))
    storage = JournalStorage(RetryingJournal(flaky, timeout_s=60))  # type: ignore[arg-type]  # a stand-in
    study = optuna.create_study(storage=storage, study_name="s")
    for _ in range(3):
        flaky.num_failed.clear()
        study.add_trial(optuna.create_trial(value=1.0))
        assert flaky.num_failed == {"append_logs": 1, "read_logs": 1}
    assert [trial.number for trial in study.trials] == [0, 1, 2]
    assert len((tmp_path / "j").read_text().splitlines()) == 4


def test_a_database_keeps_the_cache_of_optuna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that have ended are read from a database once, not at each ask."""
    study = optuna.create_study(storage=open_storage(f"sqlite:///{tmp_path / 's.db'}", 10.0))
    for value in range(3):
        study.add_trial(optuna.create_trial(value=value))
    study.get_trials()
    read: list[int] = []
    get_trials = RDBStorage._get_trials

    def counted(*arguments: Any, **named: Any) -> Any:
        found = get_trials(*arguments, **named)
        read.append(len(found))
        return found

    monkeypatch.setattr(RDBStorage, "_get_trials", counted)
    assert len(study.get_trials()) == 3 and read == [0]
