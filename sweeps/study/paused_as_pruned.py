"""What a sampler sees of a study with `sweep.promote`: paused trials as pruned ones, with the values they reported.

In the study they are RUNNING. TPE learns nothing from those: it would draw at random until ten trials are complete, and
would count each paused trial as a bad one.
"""

import copy
from collections.abc import Container, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from sweeps.study.paused import is_paused


class PausedAsPruned(BaseSampler):
    """A sampler that learns from paused trials as it does from pruned ones."""

    def __init__(self, sampler: BaseSampler) -> None:
        self._sampler = sampler

    def reseed_rng(self) -> None:
        self._sampler.reseed_rng()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(_view(study), trial)

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, Any]) -> dict[str, Any]:
        return self._sampler.sample_relative(_view(study), trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._sampler.sample_independent(_view(study), trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._sampler.before_trial(_view(study), trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        self._sampler.after_trial(_view(study), trial, state, values)


class _View(Study):
    """A study whose paused trials are shown as pruned. Samplers read trials by `_get_trials` alone."""

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        trials = map(_shown, super()._get_trials(deepcopy=False, use_cache=use_cache))
        shown = [trial for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(shown) if deepcopy else shown


def _view(study: Study) -> _View:
    view = object.__new__(_View)
    view.__dict__.update(study.__dict__)
    return view


def _shown(trial: FrozenTrial) -> FrozenTrial:
    if not is_paused(trial):
        return trial
    shown = copy.copy(trial)
    shown.state = TrialState.PRUNED
    return shown
