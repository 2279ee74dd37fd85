"""Ask, submit, end in steady state: a slot gets its next job the moment the last one ends.

What a trial is doing is in trial_state.py; whether a lost job runs again in sweeps/study/retry.py.
"""

import gc
import json
import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path

from hydra.core.utils import JobReturn
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.errors import user_error_type
from sweeps.launchers.contract import StreamingLauncher
from sweeps.loop.batch_adapter import Batches
from sweeps.loop.display import Display
from sweeps.loop.duplicates import reuse
from sweeps.loop.end_trial import end_trial
from sweeps.loop.final_runs import Finals
from sweeps.loop.interrupts import Interrupts
from sweeps.loop.job import build_job
from sweeps.loop.job_queue import JobQueue
from sweeps.loop.job_recorder import JobRecorder
from sweeps.loop.outcome import NOT_STARTED, Outcome, outcome_of
from sweeps.loop.starts import Starts
from sweeps.loop.trial_json import write_trial_json
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.loop.trial_state import State, Trials
from sweeps.results.run_dirs import fresh_folder
from sweeps.space import Constraint
from sweeps.study.attributes import CONFIGURATION, OVERRIDES, REASON, RUN_DIR, SEED_VALUES, TRACEBACK
from sweeps.study.job_records import DONE, LOST, OUTSIDE, PRUNED
from sweeps.study.ownership import TakenOver
from sweeps.study.shared_study import SharedStudy

log = logging.getLogger(__name__)

TICK_S = 0.5  # how often signals are heeded and the display is drawn
LEAST_FAILURES = 3  # after which a command whose trials all fail gives up, or after two a slot
POLL_S = 2.0  # how often a study is asked again when nothing was left, since a controller may die


class SweepLoop:
    """Runs what is left of a study on a launcher.

    Args:
        folder: of the sweep; each trial has a folder of its own in it.
        job_extras: overrides that every job gets last.
        finals: runs that end a finished study; None where there are none.
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
    ) -> None:
        self._study, self._launcher, self._folder = study, launcher, folder
        self._constraints, self._job_extras = constraints, list(job_extras)
        self._interrupts, self._display, self._finals = interrupts, display, finals
        self._recorder = JobRecorder(study, launcher)
        self._trials = Trials()
        self._queue = JobQueue()
        self._in_flight: dict[Future[JobReturn], Job] = {}
        self.starts = Starts(study.config.start_timeout_s)
        self._next_ask = 0.0
        self.num_failures = self.num_others = 0  # trials that this command has seen end
        self.last_failure = ""

    def run(self) -> None:
        """Until nothing is left, or the sweep was asked to end; then no job runs and every trial is accounted for.

        Raises:
            UserError: the storage stayed away. A later command takes the trials over.
        """
        try:
            while self._goes_on():
                self._fill()
                gc.enable()  # the command pauses it until its first jobs have begun
                if isinstance(self._launcher, Batches):
                    self._launcher.flush()
                self._collect()
                self._display.tick(list(self._in_flight.values()), self._launcher)
            if self._finals and not self._ends and self._study.is_finished():
                self._finals.run(self._launcher, self._interrupts, self.starts)
        except user_error_type():
            self._leave_all()
            raise
        finally:
            self._launcher.shutdown(wait=not self._in_flight and not self._interrupts.stopping)
            self._give_back()

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left of the study, its last runs included."""
        return self._study.is_finished() and not (self._finals and self._finals.are_left())

    @property
    def too_many_failures(self) -> bool:
        limit = self._study.config.max_failures
        return limit is not None and self.num_failures >= limit

    @property
    def fails_always(self) -> bool:
        """Whether every trial of this command has failed, of enough to tell; `max_failures` holds where it is given."""
        enough = max(LEAST_FAILURES, 2 * self._launcher.num_slots)
        return self._study.config.max_failures is None and not self.num_others and self.num_failures >= enough

    @property
    def _ends(self) -> bool:
        """Whether no new job is to begin."""
        is_stopped = self._interrupts.draining or self.starts.have_timed_out
        return is_stopped or self.too_many_failures or self.fails_always

    def _goes_on(self) -> bool:
        if self._interrupts.stopping or self.starts.have_timed_out:
            return False
        if self._ends:
            return bool(self._in_flight)
        return bool(self._trials or self._in_flight) or not self._study.is_finished()

    # Ask: a trial is claimed, and its jobs are queued.

    def _fill(self) -> None:
        """Submit jobs until every slot has one. A job that pauses before its next try keeps its slot."""
        while len(self._in_flight) + self._queue.num_pausing < self._launcher.num_slots and not self._ends:
            job = self._queue.pop_due()
            if job is not None:
                with self._unless_lost(job.run.number):
                    self._submit(job)
            elif not self._ask():
                return

    def _ask(self) -> bool:
        """Claim a trial and queue its jobs; False if none is left now, or if none could start."""
        cannot_start = self.starts.are_failing and len(self._queue)  # the jobs that wait will tell when they can
        if cannot_start or time.monotonic() < self._next_ask:
            return False
        trial = self._study.claim()
        while self._study.ownership.lost_controllers:
            self._launcher.end_jobs_of(self._study.ownership.lost_controllers.pop())
        if trial is None:
            self._next_ask = time.monotonic() + POLL_S
            return False
        with self._unless_lost(trial.number):
            self._study.configure(trial)
            self._leave(trial.number)  # what it was to this controller, if another has had it since
            run = self._run_of(trial)
            self._trials.add(run)
            self._begin_or_wait(run)
        self._settle_duplicates()
        return True

    def _run_of(self, trial: Trial) -> TrialRun:
        """A claimed trial, with what is known of it from earlier controllers."""
        attributes = trial.user_attrs
        configuration = json.loads(attributes[CONFIGURATION])
        folder = Path(attributes[RUN_DIR]) if RUN_DIR in attributes else fresh_folder(self._folder, trial.number)
        overrides = self._study.space.overrides(configuration)
        run = TrialRun(trial, configuration, overrides, folder, self._study.seeds)
        run.remember(attributes.get(SEED_VALUES, {}))
        self._recorder.remember(run)
        return run

    def _begin_or_wait(self, run: TrialRun) -> None:
        """Begin a trial, or wait for an earlier one of the same configuration."""
        earlier = self._study.earlier_duplicate(run.number)
        if earlier is None:
            self._begin(run)
        else:
            run.waits_for = earlier.number
            self._trials.move(run, State.DUPLICATE)

    def _begin(self, run: TrialRun) -> None:
        """Queue the jobs of a trial, unless it has all results, or has used up its attempts."""
        if RUN_DIR not in run.trial.user_attrs:
            self._study.set_attributes(run.trial, {OVERRIDES: run.overrides, RUN_DIR: str(run.folder)})
        answers = [self._study.retries.ask(run.attempts(k)) for k in run.missing]
        refusal = next((answer for answer in answers if answer.pause_s is None), None)
        if refusal is not None:
            self._end(run, TrialState.FAIL, refusal.reason)
        elif not run.missing:
            self._end(run, TrialState.COMPLETE, "")
        else:
            self._trials.move(run, State.QUEUED)
            # A configuration that may be pruned runs a seed at a time, so that a bad one costs a single run.
            seeds = run.missing if self._study.config.pruner == "none" else run.missing[:1]
            self._queue.add(self._job(run, k) for k in seeds)

    def _job(self, run: TrialRun, seed_index: int) -> Job:
        return build_job(self._study, run, seed_index, self._job_extras)

    # Submit.

    def _submit(self, job: Job) -> None:
        run = job.run
        self._recorder.begin(job)
        if run.state is State.QUEUED:
            self._trials.move(run, State.RUNNING)
        run.num_in_flight += 1
        write_trial_json(self._study, run, run.folder_of(job.seed_index), "running")
        self._in_flight[self._launcher.submit(job.overrides, job.num)] = job
        self._display.started(run)

    # End.

    def _collect(self) -> None:
        """Wait for the next job to end, not long, and take note of all that have."""
        if self._in_flight:
            done, _ = wait(self._in_flight, timeout=TICK_S, return_when=FIRST_COMPLETED)
            for future in done:
                self._take_back(self._in_flight.pop(future), outcome_of(future, len(self._study.objectives)))
            for job in self._in_flight.values():
                if self._trials.has(job.run):
                    with self._unless_lost(job.run.number):
                        if self._recorder.place(job):
                            self.starts.worked()
            self.starts.note_running(sum(job.has_begun for job in self._in_flight.values()))
        else:
            time.sleep(TICK_S)
        self._settle_duplicates()

    def _take_back(self, job: Job, outcome: Outcome) -> None:
        """A job's future is done."""
        job.run.num_in_flight -= 1
        if outcome.kind == NOT_STARTED:
            self.starts.failed(outcome.reason)
        elif not job.has_begun:  # so quick that it was never seen to run
            self.starts.worked()
        if self._trials.has(job.run):
            with self._unless_lost(job.run.number):
                self._take(job, outcome)

    def _take(self, job: Job, outcome: Outcome) -> None:
        """What a trial does after one of its jobs has ended."""
        run = job.run
        is_lost = outcome.kind in (LOST, NOT_STARTED)
        if outcome.kind == NOT_STARTED:
            self._recorder.withdraw(job)
        else:
            self._recorder.end(job, outcome, is_stopped=is_lost and self._interrupts.stopping)
        if is_lost and self._interrupts.stopping:
            return  # the trial is given back
        if outcome.kind == DONE:
            self._take_result(job, list(outcome.values))
        elif is_lost:
            self._retry(job, outcome)
        else:
            # Not trained, it has no value; of trials without one, samplers look at those that are pruned.
            state = TrialState.PRUNED if outcome.kind in (PRUNED, OUTSIDE) else TrialState.FAIL
            run.violations |= outcome.violations
            run.ending = run.ending or (state, outcome.reason)
            if outcome.trace:
                run.attributes[TRACEBACK] = outcome.trace
        self._settle(run)

    def _retry(self, job: Job, outcome: Outcome) -> None:
        """Queue a lost job again, or let its trial fail: as the policy says."""
        answer = self._study.retries.ask(job.run.attempts(job.seed_index), job.num_failed_starts)
        if answer.pause_s is None:
            job.run.ending = job.run.ending or (TrialState.FAIL, answer.reason)
            return
        if outcome.kind == LOST:
            self._display.say(f"Trial {job.run.number}: {outcome.reason}; it is run again from its checkpoint.")
        self._queue.add_first(job, answer.pause_s)

    def _take_result(self, job: Job, values: list[float]) -> None:
        run = job.run
        run.results[job.seed_index] = values
        if run.seeds:
            self._study.set_attributes(run.trial, {SEED_VALUES: run.seed_values})
        if not run.missing:
            run.ending = run.ending or (TrialState.COMPLETE, "")
        if self._study.config.pruner == "wilcoxon":
            self._study.report(run.trial, {job.seed_index: values[0]})
            if run.missing and run.trial.should_prune():
                run.ending = (TrialState.PRUNED, f"pruned after seed {job.seed_index} by wilcoxon")
        if self._study.config.pruner != "none" and run.missing and not run.ending:
            self._queue.add_first(self._job(run, run.missing[0]))

    def _settle(self, run: TrialRun) -> None:
        """End a trial whose end is decided, once none of its jobs runs any more; others are queued or go on."""
        if run.ending:
            self._queue.drop(run)
        if run.ending and not run.num_in_flight:
            self._end(run, *run.ending)
        elif run.ending and run.state is State.RUNNING:
            self._trials.move(run, State.ENDING)
        elif not run.num_in_flight:
            self._trials.move(run, State.QUEUED)

    def _settle_duplicates(self) -> None:
        """End the trials whose earlier duplicate has ended; begin those whose duplicate failed."""
        waiting = self._trials.in_state(State.DUPLICATE)
        trials = self._study.trials() if waiting else []
        for run in waiting:
            assert run.waits_for is not None
            earlier = trials[run.waits_for]
            with self._unless_lost(run.number):
                if earlier.state == TrialState.FAIL:
                    self._trials.move(run, State.CLAIMED)
                    self._begin_or_wait(run)
                elif earlier.state.is_finished():
                    self._note_end(run, reuse(self._study, run.trial, earlier))

    def _end(self, run: TrialRun, state: TrialState, reason: str) -> None:
        """Tell the study and the trial's folder how it ended."""
        self._note_end(run, end_trial(self._study, run, self._constraints, state, reason))

    def _note_end(self, run: TrialRun, ended: FrozenTrial) -> None:
        """The study has the result of a trial: count it, and tell the user."""
        self._trials.move(run, State.ENDED)
        if ended.state == TrialState.FAIL:
            self.num_failures += 1
            self.last_failure = str(ended.user_attrs.get(REASON))
        else:
            self.num_others += 1
        self._display.ended(ended)
        self._next_ask = 0.0

    # Trials that are left to others.

    @contextmanager
    def _unless_lost(self, number: int) -> Iterator[None]:
        """Leave a trial that turns out to be another controller's; its jobs that run here end by their lease."""
        try:
            yield
        except TakenOver:
            log.warning("Trial %d was taken over by another controller: its result is left out.", number)
            self._leave(number)

    def _leave(self, number: int) -> None:
        run = self._trials.of(number)
        if run is not None:
            self._queue.drop(run)
            self._trials.move(run, State.LEFT)

    def _give_back(self) -> None:
        """Leave what has not ended to a later command."""
        for run in self._trials:
            with self._unless_lost(run.number):
                if run.records:
                    self._recorder.stop(run)
                self._study.give_back(run.trial)
        self._leave_all()

    def _leave_all(self) -> None:
        for run in self._trials:
            self._leave(run.number)
