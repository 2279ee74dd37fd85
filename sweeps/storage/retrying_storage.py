"""Optuna's storages, made to wait while their database or file is locked, full or unavailable.

For a database, whole calls are repeated, outside Optuna's own cache: each call is one transaction, and the lock of the
cache is free between attempts. For a journal, reading and appending are repeated separately: a call of JournalStorage
first appends and then reads, and repeating both would append twice.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from sweeps.storage.retrying import Result, call_until_it_answers

if TYPE_CHECKING:
    from sqlalchemy import Engine

Arguments = ParamSpec("Arguments")


class RetryingStorage(BaseStorage):
    """A wrapper around a storage that repeats each call until the storage answers.

    It does not use Optuna's heartbeats: controllers have their own (sweeps/study/controllers.py).

    Args:
        inner: the storage that is called.
        timeout_s: how long a call waits before it raises UserError.
        engine: of the database, for its locks and to close its connections; None for a journal.
    """

    def __init__(self, inner: BaseStorage, timeout_s: float, engine: "Engine | None" = None) -> None:
        self._inner, self._timeout_s, self.engine = inner, timeout_s, engine

    def _call(
        self, method: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        return call_until_it_answers(lambda: method(*arguments, **named), self._timeout_s)

    # Studies.

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        return self._call(self._inner.create_new_study, directions, study_name)

    def delete_study(self, study_id: int) -> None:
        self._call(self._inner.delete_study, study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._call(self._inner.set_study_user_attr, study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._call(self._inner.set_study_system_attr, study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        return self._call(self._inner.get_study_id_from_name, study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._call(self._inner.get_study_name_from_id, study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._call(self._inner.get_study_directions, study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._call(self._inner.get_study_user_attrs, study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._call(self._inner.get_study_system_attrs, study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        return self._call(self._inner.get_all_studies)

    # Trials.

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        return self._call(self._inner.create_new_trial, study_id, template_trial)

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        self._call(self._inner.set_trial_param, trial_id, param_name, param_value_internal, distribution)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        return self._call(self._inner.set_trial_state_values, trial_id, state, values)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        self._call(self._inner.set_trial_intermediate_value, trial_id, step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._call(self._inner.set_trial_user_attr, trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self._call(self._inner.set_trial_system_attr, trial_id, key, value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return self._call(self._inner.get_trial, trial_id)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        return self._call(self._inner.get_all_trials, study_id, deepcopy, states)

    # Not abstract in the base class, but Optuna's own storages have faster versions.

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        return self._call(self._inner.get_trial_id_from_study_id_trial_number, study_id, trial_number)

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        return self._call(self._inner.get_best_trial, study_id)

    def remove_session(self) -> None:
        self._call(self._inner.remove_session)


class RetryingJournal(BaseJournalBackend):
    """A wrapper around a journal that repeats reading and appending until the journal answers.

    Args:
        inner: the journal; it appends all of the given logs or none, so that a call may be repeated.
        timeout_s: how long a call waits before it raises UserError.
    """

    def __init__(self, inner: BaseJournalBackend, timeout_s: float) -> None:
        self._inner, self._timeout_s = inner, timeout_s

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        # A generator raises its errors only while it is read.
        return call_until_it_answers(lambda: list(self._inner.read_logs(log_number_from)), self._timeout_s)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        call_until_it_answers(lambda: self._inner.append_logs(logs), self._timeout_s)
