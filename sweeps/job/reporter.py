"""Reports the steps of a job from a thread of its own, so that a storage that does not answer holds no training.

A step that cannot be reported is kept, and reported as soon as the storage answers again, at the latest at the end of
the job. Meanwhile the job trains on, and neither a pruner nor another controller ends it.
"""

import logging
import threading
import warnings
from collections import deque
from typing import TYPE_CHECKING

from sweeps.errors import first_line, user_error_type
from sweeps.job.lease import check_lease
from sweeps.job.trial_link import TrialLink
from sweeps.study.attributes import progress_key
from sweeps.study.ownership import TakenOver

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.pruners import BasePruner

log = logging.getLogger(__name__)

PAUSE_S = 1.0  # between two attempts, each of which waits for the storage


class Reporter:
    """Reports the steps of one job, in their order."""

    def __init__(self, link: TrialLink) -> None:
        self.link = link
        self._changed = threading.Condition()
        self._steps: deque[tuple[int, float | None, bool]] = deque()  # that have not been reported
        self._is_late = self._is_closed = self._is_complete = False
        self._ends_by: Exception | None = None
        self._trial_of_thread: Trial | None = None
        self._pruner_has_failed = False
        threading.Thread(target=self._run, name="reports", daemon=True).start()

    def report(self, step: int, value: float | None, is_last: bool = False) -> None:
        """Report a value, if there is one, and check whether the job should continue.

        Waits `report_timeout_s` for the storage, and not at all while earlier steps wait.

        Args:
            is_last: the run is at its end: to stop it would save nothing, and lose its result.

        Raises:
            optuna.TrialPruned: the study has said so by now. Not after the last step, unless other seeds follow.
            TakenOver: the study has said so by now.
        """
        with self._changed:
            if is_last and self.link.num_seeds == 1:  # of several the others can still be saved
                self._is_complete = True
            self._steps.append((step, value, is_last))
            self._drop_after_pruning()
            self._changed.notify_all()
            if not self._is_late and not self._await_reports():
                self._is_late = True
                log.warning(
                    "Study %s has not answered for %g s: step %d is reported later, and training continues.",
                    self.link.study,
                    self.link.report_timeout_s,
                    step,
                )
            if self._ends_by is not None and (isinstance(self._ends_by, TakenOver) or not self._is_complete):
                raise self._ends_by

    def close(self) -> None:
        """Wait `report_timeout_s` for the steps that have not been reported, and report nothing more."""
        with self._changed:
            if not self._await_reports():
                log.warning("%d steps could not be reported to study %s.", len(self._steps), self.link.study)
            self._is_closed = True
            self._changed.notify_all()

    def _await_reports(self) -> bool:
        return self._changed.wait_for(lambda: not self._steps, self.link.report_timeout_s)

    def _drop_after_pruning(self) -> None:
        """Forget the steps after the one at which the pruner ends the job: with them the trial would not be paused."""
        if self._ends_by is not None and not isinstance(self._ends_by, TakenOver) and not self._is_complete:
            self._steps.clear()

    # In the thread.

    def _run(self) -> None:
        while (reported := self._next()) is not None:
            try:
                ends_by = self._report(*reported)
            except _unavailable():
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closed, PAUSE_S)
                continue
            with self._changed:
                self._steps.popleft()
                if self._ends_by is None or isinstance(ends_by, TakenOver):
                    self._ends_by = ends_by
                self._drop_after_pruning()
                if self._is_late and not self._steps:
                    self._is_late = False
                    log.warning("Study %s answers again: all steps are reported.", self.link.study)
                self._changed.notify_all()

    def _next(self) -> tuple[int, float | None, bool] | None:
        """Wait for the next step to report; None once the reporter is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._steps or self._is_closed)
            return None if self._is_closed else self._steps[0]

    def _report(self, step: int, value: float | None, is_last: bool) -> Exception | None:
        """Report a step; returns what ends the job, if anything does. Raises `_unavailable` if it can be repeated.

        A step that is reported again is ignored.
        """
        stop = False
        try:
            stop = value is not None and self._should_prune(step, value, is_last)
        except _unavailable():
            raise
        except Exception as error:
            log.warning("Step %d could not be reported to study %s: %s", step, self.link.study, error)
        try:
            # After the report: the job that resumes from this epoch's checkpoint will not repeat it.
            check_lease(self.link)
        except TakenOver as taken_over:
            return taken_over
        if not stop:
            return None
        from optuna import TrialPruned

        return TrialPruned(f"at step {step} by {self.link.pruner}")

    def _should_prune(self, step: int, value: float, is_last: bool) -> bool:
        """Report a value to the study; returns whether the pruner ends the job."""
        self._trial_of_thread = trial = self._trial_of_thread or _open_trial(self.link)
        if not self.link.takes_steps:
            trial.set_user_attr(progress_key(self.link.seed_index), [step, float(value)])
            return False
        # Not within catch_warnings, which would change the filters of the training's thread.
        warnings.filterwarnings("ignore", "The reported value is ignored")  # of a step that is reported again
        trial.report(value, step)
        if is_last and self.link.num_seeds == 1:  # of several the others can still be saved
            return False
        return self.link.pruner != "none" and self._ask_pruner(trial, step)

    def _ask_pruner(self, trial: "Trial", step: int) -> bool:
        """Whether the pruner ends the job. One that fails ends nothing, and is named once."""
        try:
            return trial.should_prune()
        except user_error_type():  # the study, which the pruner reads, does not answer
            raise
        except Exception as error:
            if not self._pruner_has_failed:
                self._pruner_has_failed = True
                log.warning(
                    "The pruner of study %s failed at step %d, so it does not end this job there: %s. Later failures "
                    "are not logged.",
                    self.link.study,
                    step,
                    first_line(error).rstrip("."),
                )
            return False


def _unavailable() -> tuple[type[Exception], ...]:
    """The errors of a storage that does not answer, and of one without its file or without the study."""
    return user_error_type(), OSError, KeyError


def _open_trial(link: TrialLink) -> "Trial":
    from optuna import Trial, load_study, logging
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import RandomSampler

    logging.set_verbosity(logging.WARNING)
    warnings.filterwarnings("ignore", category=ExperimentalWarning)
    # The trial already has its parameters, so the cheapest sampler will do.
    study = load_study(study_name=link.study, storage=link.open_storage(), sampler=RandomSampler())
    study.pruner = _pruner_of(link)  # once the storage has answered, so that what is wrong with it is said once
    return Trial(study, link.trial_id)


def _pruner_of(link: TrialLink) -> "BasePruner":
    """The pruner of a job. One that cannot be made here, such as a user's own on another machine, ends no job."""
    from sweeps.study.pruner import build_pruner

    try:
        return build_pruner(link.pruner, link.pruning, link.promote)
    except Exception as error:
        sentence = str(error) if isinstance(error, user_error_type()) else f"{first_line(error).rstrip('.')}."
        log.warning("The pruner of study %s cannot be used, so that none ends this job: %s", link.study, sentence)
        return build_pruner("none", {})


_reporter: Reporter | None = None


def reporter_of(link: TrialLink) -> Reporter:
    """The reporter of the job that runs in this process."""
    global _reporter
    if _reporter is None or _reporter.link != link:
        close_reporter()
        _reporter = Reporter(link)
    return _reporter


def close_reporter() -> None:
    """End the reports of the job that has run in this process."""
    global _reporter
    if _reporter is not None:
        _reporter.close()
        _reporter = None
