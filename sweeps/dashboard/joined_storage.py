"""Studies of many storages as one Optuna storage, for the dashboard only: read only, except for notes."""

import threading
from collections.abc import Container, Sequence
from typing import Any, NoReturn

from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from sweeps.dashboard.artifacts import PlotArtifacts
from sweeps.dashboard.sources import StudySource, StudySources
from sweeps.dashboard.study_view import TRIALS_PER_STUDY, StudyView
from sweeps.results.ranking import ranked


class JoinedStorage(BaseStorage):
    """All studies of `sources`, also those that appear later. Each keeps its id for the life of this object.

    A trial that has ended has a note made from its run folder, until a user writes another one, and the pictures in
    its run folder as artifacts. Calls that would change a sweep raise PermissionError.
    """

    def __init__(self, sources: StudySources, plots: PlotArtifacts) -> None:
        self._sources, self._plots = sources, plots
        self._lock = threading.Lock()
        self._views: list[StudyView] = []

    # Studies.

    def get_all_studies(self) -> list[FrozenStudy]:
        return [view.study() for view in self._find()]

    def get_study_id_from_name(self, study_name: str) -> int:
        for view in self._find():
            if view.name == study_name:
                return view.id
        raise KeyError(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._view(study_id).name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._view(study_id).study().directions

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._view(study_id).user_attrs

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self._view(study_id).study().system_attrs

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Write a note into the study's own storage, under the id that its trial has there."""
        view = self._view(study_id)
        view.source.storage.set_study_system_attr(view.source.local_id, view.local_key(key), value)

    # Trials.

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials, never copied whatever `deepcopy` is: nothing here changes them."""
        return [trial for trial in self._view(study_id).trials() if states is None or trial.state in states]

    def get_trial(self, trial_id: int) -> FrozenTrial:
        trials = self._view(trial_id // TRIALS_PER_STUDY).trials()
        number = trial_id % TRIALS_PER_STUDY
        if number >= len(trials):
            raise KeyError(trial_id)
        return trials[number]

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """The best trial by the rules of the sweep: one outside its constraints only if there is no other."""
        trials = self.get_all_trials(study_id)
        best = ranked(trials, self.get_study_directions(study_id))
        return best[0] if best else super().get_best_trial(study_id)

    # Calls that a dashboard must not make.

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

    def _find(self) -> list[StudyView]:
        """The studies that exist now, in the order of their ids."""
        with self._lock:
            found = self._sources.find()
            viewed = {view.source for view in self._views}
            for source in found:
                if source not in viewed:
                    self._views.append(StudyView(len(self._views), self._new_name(source), source, self._plots))
            return [view for view in self._views if view.source in found]

    def _new_name(self, source: StudySource) -> str:
        """The study's name, followed by its folder's if it is taken: Optuna finds studies by their names."""
        name = source.storage.get_study_name_from_id(source.local_id)
        if all(view.name != name for view in self._views):
            return name
        return f"{name} ({source.folder.name if source.folder else 'database'}, {len(self._views)})"

    def _view(self, study_id: int) -> StudyView:
        if study_id >= len(self._views):
            self._find()
        if not 0 <= study_id < len(self._views):
            raise KeyError(study_id)
        return self._views[study_id]


def _refuse() -> NoReturn:
    raise PermissionError("the dashboard cannot change a sweep, except for its notes")
