"""Trials of the same configuration: the first is run, the others wait for its end and reuse its result."""

from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.study.attributes import OVERRIDES, RUN_DIR, SEEDS, SPREAD
from sweeps.study.shared_study import SharedStudy

OF_RUNS = (RUN_DIR, OVERRIDES, SEEDS, SPREAD)  # what a trial tells of its runs


class Duplicates:
    """The trials of this controller that wait for an earlier one, which may be another controller's."""

    def __init__(self, study: SharedStudy) -> None:
        self._study = study
        self._waiting: dict[int, tuple[Trial, int]] = {}

    @property
    def trials(self) -> list[Trial]:
        return [trial for trial, _ in self._waiting.values()]

    def let_wait(self, trial: Trial) -> bool:
        """Whether an earlier trial of its configuration has a result, or may yet; then the trial waits for it."""
        twin = self._study.twin(trial.number)
        if twin is not None:
            self._waiting[trial.number] = trial, twin.number
        return twin is not None

    def pop_ended(self) -> list[tuple[Trial, FrozenTrial]]:
        """Those whose twin has ended, each with it; they wait no more."""
        if not self._waiting:
            return []
        trials = self._study.trials()
        ended = [(trial, trials[twin]) for trial, twin in self._waiting.values() if trials[twin].state.is_finished()]
        for trial, _ in ended:
            del self._waiting[trial.number]
        return ended

    def reuse(self, trial: Trial, twin: FrozenTrial) -> FrozenTrial:
        """End a trial as its twin has ended.

        Raises:
            TakenOver: another controller has the trial.
        """
        self._study.report(trial, twin.intermediate_values)
        self._study.constrain(trial, twin.constraints)
        copied = {name: twin.user_attrs[name] for name in OF_RUNS if name in twin.user_attrs}
        reason = f"the same configuration as trial {twin.number}"
        values = twin.values if twin.state == TrialState.COMPLETE else None
        return self._study.finish(trial, twin.state, values, reason=reason, reused_from=twin.number, **copied)

    def forget(self, number: int) -> None:
        self._waiting.pop(number, None)

    def clear(self) -> None:
        self._waiting.clear()
