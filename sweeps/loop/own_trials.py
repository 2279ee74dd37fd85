"""The trials of this controller, from claim to end: what each does next, and what is stored in the study.

Their states are in trial_state.py; sweeps/study/retry.py decides whether a lost job runs again.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.loop.display import Display
from sweeps.loop.duplicates import earlier_duplicate, reuse
from sweeps.loop.end_trial import end_trial
from sweeps.loop.job import build_job
from sweeps.loop.job_queue import JobQueue
from sweeps.loop.job_recorder import JobRecorder
from sweeps.loop.outcome import NOT_STARTED, Outcome
from sweeps.loop.trial_data import DataChanged, TrialData
from sweeps.loop.trial_json import write_trial_json
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.loop.trial_state import State, Trials
from sweeps.results.run_dirs import folder_to_run_in, fresh_folder
from sweeps.space import Constraint
from sweeps.study.attributes import CONFIGURATION, OVERRIDES, REASON, RUN_DIR, SEED_VALUES, TRACEBACK
from sweeps.study.job_records import DONE, LOST, OUTSIDE, PAUSED, PRUNED
from sweeps.study.ownership import TakenOver
from sweeps.study.shared_study import SharedStudy

log = logging.getLogger(__name__)


class OwnTrials:
    """Takes claimed trials, queues their jobs, and ends them by the outcomes of their jobs.

    Args:
        folder: of the sweep; each trial has its own folder in it.
        job_extras: overrides that every job gets last.
        on_end: called with each trial that has ended or is paused, as stored in the study.
    """

    def __init__(
        self,
        study: SharedStudy,
        recorder: JobRecorder,
        folder: Path,
        constraints: Sequence[Constraint],
        job_extras: Sequence[str],
        display: Display,
        on_end: Callable[[FrozenTrial], None],
        data: TrialData,
    ) -> None:
        self._study, self._recorder, self._folder = study, recorder, folder
        self._constraints, self._job_extras = constraints, list(job_extras)
        self._display, self._on_end, self._data = display, on_end, data
        self._trials, self.queue = Trials[TrialRun](), JobQueue()

    def __len__(self) -> int:
        return len(self._trials)

    def has(self, run: TrialRun) -> bool:
        """Whether this controller still has a trial, as far as it knows."""
        return self._trials.has(run)

    # From the claim to its jobs.

    def take_in(self, trial: Trial) -> None:
        """Draw the configuration of a claimed trial, and queue its jobs or let it wait for an earlier duplicate."""
        with self.unless_lost(trial.number):
            self._study.configure(trial)
            self._leave(trial.number)  # forget an earlier claim, if another controller has had the trial since
            run = self._run_of(trial)
            self._trials.add(run)
            self._begin_or_wait(run)
        self.settle_duplicates()

    def _run_of(self, trial: Trial) -> TrialRun:
        """A claimed trial, with the results and records of earlier controllers."""
        attributes = trial.user_attrs
        configuration = json.loads(attributes[CONFIGURATION])
        noted = folder_to_run_in(attributes, self._folder, self._study.url)
        folder = noted or fresh_folder(self._folder, trial.number)
        overrides = self._study.space.overrides(configuration)
        run = TrialRun(trial, configuration, overrides, folder, self._study.seeds)
        run.remember(attributes.get(SEED_VALUES, {}))
        self._recorder.remember(run)
        return run

    def _begin_or_wait(self, run: TrialRun) -> None:
        """Begin a trial, or wait for an earlier one with the same configuration."""
        earlier = earlier_duplicate(self._study, run.number)
        if earlier is None:
            self._begin(run)
        else:
            run.waits_for = earlier.number
            self._trials.move(run, State.DUPLICATE)

    def _begin(self, run: TrialRun) -> None:
        """Queue the jobs of a trial, unless it has all results or no attempts left."""
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
            # A configuration that may be pruned runs one seed at a time, so that a bad one costs only one run.
            seeds = run.missing if self._study.judged_by == "nothing" else run.missing[:1]
            self.queue.add(self._job(run, k) for k in seeds)

    def _job(self, run: TrialRun, seed_index: int) -> Job:
        return build_job(self._study, run, seed_index, self._job_extras)

    def submitted(self, job: Job) -> None:
        """Note that a job is being submitted to the launcher."""
        self._recorder.begin(job)
        if job.run.state is State.QUEUED:
            self._trials.move(job.run, State.RUNNING)
        job.run.num_in_flight += 1

    # From the outcomes of its jobs to its end.

    def take(self, job: Job, outcome: Outcome, is_stopping: bool) -> None:
        """Handle the outcome of a job: go to the trial's next job, or end the trial.

        Args:
            is_stopping: the command is ending its workers, so that a lost job does not count.
        """
        run = job.run
        if outcome.kind == PRUNED and self._study.may_continue(run.trial):
            outcome = replace(outcome, kind=PAUSED, reason=outcome.reason.replace("pruned", "paused", 1))
        is_lost = outcome.kind in (LOST, NOT_STARTED)
        if outcome.kind == NOT_STARTED:
            self._recorder.withdraw(job)
        else:
            self._recorder.end(job, outcome, is_stopped=is_lost and is_stopping)
        if is_lost and is_stopping:
            return  # the trial is given back
        if outcome.kind == PAUSED:
            self._pause(run, outcome.reason)
            return
        if outcome.kind == DONE:
            self._take_result(job, list(outcome.values))
        elif is_lost:
            self._retry(job, outcome)
        else:
            # The job was not trained, so it has no value. Samplers learn from trials without a value only if pruned.
            state = TrialState.PRUNED if outcome.kind in (PRUNED, OUTSIDE) else TrialState.FAIL
            run.violations |= outcome.violations
            if run.ending is None:
                run.ending = state, outcome.reason
                if outcome.trace:
                    run.attributes[TRACEBACK] = outcome.trace
        self._settle(run)

    def _retry(self, job: Job, outcome: Outcome) -> None:
        """Queue a lost job again, or let its trial fail, as the retry policy decides."""
        if job.run.ending:  # by another seed
            return
        answer = self._study.retries.ask(job.run.attempts(job.seed_index), job.num_failed_starts)
        if answer.pause_s is None:
            job.run.ending = TrialState.FAIL, answer.reason
            return
        if outcome.kind == LOST:
            self._display.say(f"Trial {job.run.number}: {outcome.reason}; it is run again from its checkpoint.")
        self.queue.add_first(job, answer.pause_s)

    def _take_result(self, job: Job, values: list[float]) -> None:
        run = job.run
        run.results[job.seed_index] = values
        if run.seeds:
            self._study.set_attributes(run.trial, {SEED_VALUES: run.seed_values})
        if not run.missing:
            run.ending = run.ending or (TrialState.COMPLETE, "")
        if self._study.judged_by == "seeds":
            self._study.report(run.trial, {job.seed_index: values[0]})
            if run.missing and run.trial.should_prune():
                run.ending = (TrialState.PRUNED, f"pruned after seed {job.seed_index} by {self._study.config.pruner}")
        if self._study.judged_by != "nothing" and run.missing and not run.ending:
            self.queue.add_first(self._job(run, run.missing[0]))

    def _settle(self, run: TrialRun) -> None:
        """Update the state of a trial. If its end is decided, end it once none of its jobs runs any more."""
        if run.ending:
            self.queue.drop(run)
        if run.ending and not run.num_in_flight:
            self._end(run, *run.ending)
        elif run.ending and run.state is State.RUNNING:
            self._trials.move(run, State.ENDING)
        elif not run.num_in_flight:
            self._trials.move(run, State.QUEUED)

    def settle_duplicates(self) -> None:
        """End the trials whose earlier duplicate has ended; begin those whose earlier duplicate failed."""
        waiting = self._trials.in_state(State.DUPLICATE)
        trials = self._study.trials() if waiting else []
        for run in waiting:
            assert run.waits_for is not None
            earlier = trials[run.waits_for]
            with self.unless_lost(run.number):
                if earlier.state == TrialState.FAIL:
                    self._trials.move(run, State.CLAIMED)
                    self._begin_or_wait(run)
                elif earlier.state.is_finished():
                    self._note_end(run, reuse(self._study, run.trial, earlier))

    def _pause(self, run: TrialRun, reason: str) -> None:
        """Record in the study and in the trial's folder that it is paused. Raises DataChanged, see trial_data.py.

        Any controller may continue it.
        """
        self._note_data(run)
        paused = self._study.pause(run.trial, {**run.attributes, REASON: reason})
        write_trial_json(self._study, run, run.folder_of(0), "paused", reason)
        self._trials.move(run, State.PAUSED)
        self._on_end(paused)

    def _end(self, run: TrialRun, state: TrialState, reason: str) -> None:
        """Record in the study and in the trial's folder how it ended. Raises DataChanged, see trial_data.py."""
        if state != TrialState.FAIL:  # a failed trial is not compared with others
            self._note_data(run)
        self._note_end(run, end_trial(self._study, run, self._constraints, state, reason))

    def _note_data(self, run: TrialRun) -> None:
        """Add on which data a trial was run to what is stored with it. Raises DataChanged, see trial_data.py."""
        try:
            run.attributes |= self._data.attributes_of(run)
        except DataChanged:
            if run.seeds:  # a later command takes the values from the runs that are still there, and no others
                self._study.set_attributes(run.trial, {SEED_VALUES: {}})
            raise

    def _note_end(self, run: TrialRun, ended: FrozenTrial) -> None:
        """Note that the study has the result of a trial."""
        self._trials.move(run, State.ENDED)
        self._on_end(ended)

    # Trials that are left to other controllers or later commands.

    @contextmanager
    def unless_lost(self, number: int) -> Iterator[None]:
        """Leave a trial if another controller turns out to have it. Its jobs here end by their lease."""
        try:
            yield
        except TakenOver:
            log.warning("Another controller has taken over trial %d: its result here is discarded.", number)
            self._leave(number)

    def _leave(self, number: int) -> None:
        run = self._trials.of(number)
        if run is not None:
            self.queue.drop(run)
            self._trials.move(run, State.LEFT)

    def give_back(self) -> None:
        """Leave the trials that have not ended to a later command."""
        for run in self._trials:
            with self.unless_lost(run.number):
                if run.records:
                    self._recorder.stop(run)
                self._study.give_back(run.trial)
        self.leave_all()

    def leave_all(self) -> None:
        """Forget all trials, since their storage is unavailable. A later command takes them over."""
        for run in self._trials:
            self._leave(run.number)
