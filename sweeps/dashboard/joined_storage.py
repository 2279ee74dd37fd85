"""Studies of many storages as one Optuna storage, for the dashboard alone: it reads, and lets notes be written."""

import threading
from collections.abc import Container, Sequence
from typing import Any, NoReturn

from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from sweeps.dashboard.artifacts import Plots
from sweeps.dashboard.sources import Source, Sources
from sweeps.dashboard.study_view import TRIALS_PER_STUDY, Shown
from sweeps.results.ranking import ranked


class ManyStudies(BaseStorage):
    """All studies of `sources`, those that appear later included; each keeps its id for the life of this object.

    A trial that has ended has a note of what its run folder tells, until somebody writes another, and the pictures in
    its run folder as artifacts. Whatever would change a sweep raises PermissionError.
    """

    def __init__(self, sources: Sources, plots: Plots) -> None:
        self._sources, self._plots = sources, plots
        self._lock = threading.Lock()
        self._shown: list[Shown] = []

    # Studies.

    def get_all_studies(self) -> list[FrozenStudy]:
        return [shown.study() for shown in self._found()]

    def get_study_id_from_name(self, study_name: str) -> int:
        for shown in self._found():
            if shown.name == study_name:
                return shown.id
        raise KeyError(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._of(study_id).name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._of(study_id).study().directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._of(study_id).user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._of(study_id).study().system_attrs

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """A note goes into the study's own storage, under the id that its trial has there."""
        shown = self._of(study_id)
        shown.source.storage.set_study_system_attr(shown.source.local_id, shown.local_key(key), value)

    # Trials.

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials themselves, whatever `deepcopy` says: nobody here changes them."""
        return [trial for trial in self._of(study_id).trials() if states is None or trial.state in states]

    def get_trial(self, trial_id: int) -> FrozenTrial:
        trials = self._of(trial_id // TRIALS_PER_STUDY).trials()
        number = trial_id % TRIALS_PER_STUDY
        if number >= len(trials):
            raise KeyError(trial_id)
        return trials[number]

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """The best trial as the sweep has it, never one outside its constraints while there is another."""
        trials = self.get_all_trials(study_id)
        best = ranked(trials, self.get_study_directions(study_id))
        return best[0] if best else super().get_best_trial(study_id)

    # What a dashboard must not do.

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> NoReturn:
        _refuse()

    def delete_study(self, study_id: int) -> NoReturn:
        _refuse()

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> NoReturn:
        _refuse()

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> NoReturn:
        _refuse()

    def set_trial_param(self, *_arguments: Any, **_named: Any) -> NoReturn:
        _refuse()

    def set_trial_state_values(self, *_arguments: Any, **_named: Any) -> NoReturn:
        _refuse()

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> NoReturn:
        _refuse()

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> NoReturn:
        _refuse()

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> NoReturn:
        _refuse()

    # Ids.

    def _found(self) -> list[Shown]:
        """The studies that are there now, by id."""
        with self._lock:
            found = self._sources.find()
            sources = {shown.source for shown in self._shown}
            for source in found:
                if source not in sources:
                    self._shown.append(Shown(len(self._shown), self._new_name(source), source, self._plots))
            return [shown for shown in self._shown if shown.source in found]

    def _new_name(self, source: Source) -> str:
        """The study's name; with its folder's where two have the same, since Optuna finds studies by their names."""
        name = source.storage.get_study_name_from_id(source.local_id)
        if all(shown.name != name for shown in self._shown):
            return name
        return f"{name} ({source.folder.name if source.folder else 'database'}, {len(self._shown)})"

    def _of(self, study_id: int) -> Shown:
        if study_id >= len(self._shown):
            self._found()
        if not 0 <= study_id < len(self._shown):
            raise KeyError(study_id)
        return self._shown[study_id]


def _refuse() -> NoReturn:
    raise PermissionError("the dashboard changes nothing of a sweep but its notes")
