"""The main loop of a sweep: claim trials, submit jobs, collect results. A slot gets its next job as soon as one ends.

This module handles the launcher, its slots and futures. own_trials.py handles the states of the trials.
"""

import gc
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from hydra.core.utils import JobReturn
from optuna.trial import FrozenTrial, TrialState

from sweeps.errors import user_error, user_error_type
from sweeps.launchers.contract import StreamingLauncher
from sweeps.loop.batch_adapter import Batches
from sweeps.loop.display import Display
from sweeps.loop.final_runs import Finals
from sweeps.loop.interrupts import Interrupts
from sweeps.loop.job_recorder import JobRecorder
from sweeps.loop.outcome import NOT_STARTED, Outcome, outcome_of
from sweeps.loop.own_trials import OwnTrials
from sweeps.loop.starts import Starts
from sweeps.loop.trial_data import DataChanged, TrialData
from sweeps.loop.trial_json import reconcile, write_trial_json
from sweeps.loop.trial_run import Job
from sweeps.space import Constraint
from sweeps.study.attributes import REASON
from sweeps.study.shared_study import SharedStudy

TICK_S = 0.5  # between two checks for signals and updates of the display
LEAST_FAILURES = 3  # a command gives up after so many failures, or two per slot if that is more, without any success
POLL_S = 2.0  # before a study without a trial to claim is asked again: another controller may die and leave one


class SweepLoop:
    """Runs the trials that are left of a study on a launcher.

    Args:
        folder: of the sweep; each trial has its own folder in it.
        job_extras: overrides that every job gets last.
        finals: the final runs, after all trials have ended; None if there are none.
        data: compares the data of the trials; None if no axis chooses it.
    """

    def __init__(
        self,
        study: SharedStudy,
        launcher: StreamingLauncher | Batches,
        folder: Path,
        constraints: Sequence[Constraint],
        job_extras: Sequence[str],
        interrupts: Interrupts,
        display: Display,
        finals: Finals | None = None,
        data: TrialData | None = None,
    ) -> None:
        self._study, self._launcher, self._folder = study, launcher, folder
        self._interrupts, self._display, self._finals = interrupts, display, finals
        self._recorder = JobRecorder(study, launcher)
        data = data or TrialData(study, folder)
        self._own = OwnTrials(study, self._recorder, folder, constraints, job_extras, display, self._count, data)
        self._queue = self._own.queue
        self._in_flight: dict[Future[JobReturn], Job] = {}
        self.starts = Starts(study.config.start_timeout_s)
        self._next_ask = 0.0
        self.num_failures = self.num_others = 0  # trials that this command has seen end or pause
        self.last_failure = ""

    def run(self) -> None:
        """Run until no trial is left, or the sweep was asked to end. Afterwards no job runs.

        Trials that have not ended are left to a later command.

        Raises:
            UserError: the storage was unavailable for too long. A later command takes the trials over. Or the data has
                changed.
        """
        try:
            reconcile(self._study, self._folder)
            while self._continues():
                self._fill()
                gc.enable()  # the command turned it off until its first jobs have begun
                if isinstance(self._launcher, Batches):
                    self._launcher.flush()
                self._collect()
                self._display.tick(list(self._in_flight.values()), self._launcher)
            if not self._ends and self._study.is_finished():
                self._study.release_lost()
                self._end_lost_jobs()
                if self._finals:
                    self._finals.run(self._launcher, self._interrupts, self.starts)
            reconcile(self._study, self._folder)
        except DataChanged as changed:  # the study is as it was before this trial ended
            raise user_error(str(changed)) from None
        except user_error_type():
            self._own.leave_all()
            raise
        finally:
            self._launcher.shutdown(wait=not self._in_flight and not self._interrupts.stopping)
            self._own.give_back()

    @property
    def is_finished(self) -> bool:
        """Whether no trial of the study is left, and no final run."""
        return self._study.is_finished() and not (self._finals and self._finals.are_left())

    @property
    def final_failure(self) -> str:
        """Which final run of this command failed last, and why; empty if none did."""
        return self._finals.failure if self._finals else ""

    @property
    def too_many_failures(self) -> bool:
        limit = self._study.config.max_failures
        return limit is not None and self.num_failures >= limit

    @property
    def fails_always(self) -> bool:
        """Whether all trials of this command failed, enough of them, and some are left. Not with `max_failures`."""
        enough = max(LEAST_FAILURES, 2 * self._launcher.num_slots)
        only_fails = self._study.config.max_failures is None and not self.num_others and self.num_failures >= enough
        return only_fails and not self._study.is_finished()  # of a finished study the final runs are still due

    @property
    def _ends(self) -> bool:
        """Whether no new job may begin."""
        is_stopped = self._interrupts.draining or self.starts.have_timed_out
        return is_stopped or self.too_many_failures or self.fails_always

    def _continues(self) -> bool:
        if self._interrupts.stopping or self.starts.have_timed_out:
            return False
        if self._ends:
            return bool(self._in_flight)
        return bool(self._own or self._in_flight) or not self._study.is_finished()

    # Claim trials and queue their jobs.

    def _fill(self) -> None:
        """Submit jobs until every slot has one. A job that pauses before its next attempt keeps its slot."""
        while len(self._in_flight) + self._queue.num_pausing < self._launcher.num_slots and not self._ends:
            job = self._queue.pop_due()
            if job is not None:
                with self._own.unless_lost(job.run.number):
                    self._submit(job)
            elif not self._ask():
                return

    def _ask(self) -> bool:
        """Claim a trial and queue its jobs; False if no trial is left now, or no job could start."""
        cannot_start = self.starts.are_failing and len(self._queue)  # the pausing jobs will show when jobs start again
        if cannot_start or time.monotonic() < self._next_ask:
            return False
        trial = self._study.claim()
        self._end_lost_jobs()
        if trial is None:
            self._next_ask = time.monotonic() + POLL_S
            return False
        self._own.take_in(trial)
        return True

    def _end_lost_jobs(self) -> None:
        """End what jobs of lost controllers still run on a cluster."""
        while self._study.ownership.lost_controllers:
            self._launcher.end_jobs_of(self._study.ownership.lost_controllers.pop())

    # Submit.

    def _submit(self, job: Job) -> None:
        self._own.submitted(job)
        write_trial_json(self._study, job.run, job.run.folder_of(job.seed_index), "running")
        self._in_flight[self._launcher.submit(job.overrides, job.num)] = job

    # End.

    def _collect(self) -> None:
        """Wait a short time for a job to end, and handle all jobs that have ended."""
        if self._in_flight:
            done, _ = wait(self._in_flight, timeout=TICK_S, return_when=FIRST_COMPLETED)
            for future in done:
                self._take_back(self._in_flight.pop(future), outcome_of(future, len(self._study.objectives)))
            for job in self._in_flight.values():
                if self._own.has(job.run):
                    with self._own.unless_lost(job.run.number):
                        if self._recorder.place(job):
                            self.starts.worked()
            self.starts.note_running(sum(job.has_begun for job in self._in_flight.values()))
        else:
            time.sleep(TICK_S)
        self._own.settle_duplicates()

    def _take_back(self, job: Job, outcome: Outcome) -> None:
        """Handle the outcome of a job that has ended."""
        job.run.num_in_flight -= 1
        if outcome.kind == NOT_STARTED:
            self.starts.failed(outcome.reason)
        elif not job.has_begun:  # it ended before it was seen to run
            self.starts.worked()
        if self._own.has(job.run):
            with self._own.unless_lost(job.run.number):
                self._own.take(job, outcome, self._interrupts.stopping)

    def _count(self, ended: FrozenTrial) -> None:
        """Count and show a trial that has ended, or is paused: that one has not failed."""
        if ended.state == TrialState.FAIL:
            self.num_failures += 1
            self.last_failure = str(ended.user_attrs.get(REASON))
        else:
            self.num_others += 1
        self._display.ended(ended)
        self._next_ask = 0.0
