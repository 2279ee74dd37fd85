"""A study as the dashboard sees it: with ids of the dashboard, and notes and pictures from run folders."""

import copy
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial

from sweeps.dashboard.artifacts import PlotArtifacts
from sweeps.dashboard.fractions import show_fractions
from sweeps.dashboard.sources import StudySource
from sweeps.dashboard.trial_note import trial_note
from sweeps.results.run_dirs import run_dirs
from sweeps.study.attributes import IDENTITY, PROGRAM

TRIALS_PER_STUDY = 1 << 24  # a trial's id is its study's id times this, plus its number; exact in JavaScript too
# The dashboard searches all attributes of a study for the note of each trial: with 10,000 notes a list takes 80 s.
NUM_NOTED = 1000
METRIC_NAMES = "study:metric_names"  # where Optuna keeps the names of objectives
TRIAL_KEY = re.compile(
    r"(dashboard:(?:artifacts:)?)(\d+)(:.*)", re.DOTALL
)  # attributes in which the dashboard keeps notes of a trial


@dataclass
class StudyView:
    """A study under the id that it has in the dashboard.

    A trial that has ended never changes, so its view (`ended`) and its note (`notes`) are kept by trial number.
    """

    id: int
    name: str
    source: StudySource
    plots: PlotArtifacts
    ended: dict[int, FrozenTrial] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def study(self) -> FrozenStudy:
        storage, local_id = self.source.storage, self.source.local_id
        self.trials()
        objectives = self.user_attrs.get(IDENTITY, {}).get("objectives")
        made = self._note_attributes() | ({METRIC_NAMES: objectives} if objectives else {})
        return FrozenStudy(
            study_name=self.name,
            direction=None,
            directions=storage.get_study_directions(local_id),
            user_attrs=self.user_attrs,
            system_attrs=made | self._stored_attributes(),
            study_id=self.id,
        )

    def trials(self) -> list[FrozenTrial]:
        stored = self.source.storage.get_all_trials(self.source.local_id, deepcopy=False)
        space = self.user_attrs.get(IDENTITY, {}).get("space", {})
        with self.lock:
            return [self._trial(trial, space) for trial in stored]

    def trial_id(self, number: int) -> int:
        return self.id * TRIALS_PER_STUDY + number

    def local_key(self, key: str) -> str:
        """The name of a study attribute in the study's own storage: the dashboard's names contain its trial ids."""
        match = TRIAL_KEY.fullmatch(key)
        if match is None:
            return key
        number = int(match[2]) % TRIALS_PER_STUDY
        local = self.source.storage.get_trial_id_from_study_id_trial_number(self.source.local_id, number)
        return f"{match[1]}{local}{match[3]}"

    @property
    def user_attrs(self) -> dict[str, Any]:
        return self.source.storage.get_study_user_attrs(self.source.local_id)

    def _stored_attributes(self) -> dict[str, Any]:
        """The stored attributes of the study, such as notes that a user wrote, with the dashboard's trial ids."""
        storage, local_id = self.source.storage, self.source.local_id
        stored = storage.get_study_system_attrs(local_id)
        if not any(TRIAL_KEY.fullmatch(key) for key in stored):
            return stored
        ids = {t._trial_id: self.trial_id(t.number) for t in storage.get_all_trials(local_id, deepcopy=False)}

        def ours(match: re.Match[str]) -> str:
            return f"{match[1]}{ids.get(int(match[2]), match[2])}{match[3]}"

        return {TRIAL_KEY.sub(ours, key): value for key, value in stored.items()}

    def _trial(self, stored: FrozenTrial, space: dict[str, Any]) -> FrozenTrial:
        if stored.number in self.ended:
            return self.ended[stored.number]
        trial = copy.copy(stored)
        trial._trial_id = self.trial_id(stored.number)
        show_fractions(trial, space)
        if trial.state.is_finished():
            self._complete(trial)
            self.ended[trial.number] = trial
        return trial

    def _complete(self, trial: FrozenTrial) -> None:
        """Add to an ended trial its pictures, its note, and its constraints in the form that the dashboard reads."""
        folders = run_dirs(trial.user_attrs, self.source.folder)
        attributes = trial.system_attrs | self.plots.attributes(folders)
        if trial.constraints:
            attributes["constraints"] = list(trial.constraints.values())
        trial.system_attrs = attributes
        identity = self.user_attrs.get(IDENTITY, {})
        seed_key, seeds = identity.get("seed_key") or "seed", identity.get("seeds")
        seeds = seeds if isinstance(seeds, list) else []  # 1 for single runs
        self.notes[trial.number] = trial_note(trial, folders, self.user_attrs.get(PROGRAM), seed_key, seeds)

    def _note_attributes(self) -> dict[str, Any]:
        """The notes of the last trials that ended, as study attributes, where the dashboard looks for them."""
        with self.lock:
            latest = list(self.notes)[-NUM_NOTED:]
        attributes: dict[str, Any] = {}
        for number in latest:
            key = f"dashboard:{self.trial_id(number)}:note_"
            attributes |= {f"{key}ver": 1, f"{key}str:0": self.notes[number]}
        return attributes
