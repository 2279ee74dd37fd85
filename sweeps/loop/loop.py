"""Ask, submit, tell in steady state: a slot gets its next job the moment the last one ends."""

import gc
import json
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.errors import user_error_type
from sweeps.launchers.contract import StreamingLauncher
from sweeps.loop.batch_adapter import Batches
from sweeps.loop.display import Display
from sweeps.loop.duplicates import Duplicates
from sweeps.loop.end_trial import end_trial
from sweeps.loop.final_runs import Finals
from sweeps.loop.interrupts import Interrupts
from sweeps.loop.job import build_job
from sweeps.loop.job_recorder import JobLog
from sweeps.loop.outcome import Outcome, outcome_of
from sweeps.loop.trial_json import write_record
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.results.run_dirs import fresh_folder
from sweeps.space import Constraint
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
        self._log = JobLog(study, launcher)
        self._runs: dict[int, TrialRun] = {}
        self._duplicates = Duplicates(study)
        self._pending: deque[Job] = deque()
        self._futures: dict[Future[JobReturn], Job] = {}
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
                self._display.tick(list(self._futures.values()), self._launcher)
            if self._finals and not self._ends and self._study.is_finished():
                self._finals.run(self._launcher, self._interrupts)
        except user_error_type():
            self._forget()
            raise
        finally:
            self._launcher.shutdown(wait=not self._futures and not self._interrupts.stopping)
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
        return self._interrupts.draining or self.too_many_failures or self.fails_always

    def _goes_on(self) -> bool:
        if self._interrupts.stopping:
            return False
        if self._ends:
            return bool(self._futures)
        return bool(self._futures or self._pending or self._duplicates.trials) or not self._study.is_finished()

    # Ask and submit.

    def _fill(self) -> None:
        while len(self._futures) < self._launcher.num_slots and not self._ends:
            if not self._pending and not self._ask():
                return
            if self._pending:
                job = self._pending.popleft()
                with self._unless_lost(job.run.number):
                    self._submit(job)

    def _ask(self) -> bool:
        """Claim a trial and queue its jobs; False where none is left now."""
        if time.monotonic() < self._next_ask:
            return False
        trial = self._study.claim()
        while self._study.lost_controllers:
            self._launcher.end_jobs_of(self._study.lost_controllers.pop())
        if trial is None:
            self._next_ask = time.monotonic() + POLL_S
            return False
        with self._unless_lost(trial.number):
            self._study.configure(trial)
            self._begin_or_wait(trial)
        self._settle_duplicates()
        return True

    def _begin_or_wait(self, trial: Trial) -> None:
        """Begin a trial, or wait for an earlier one of the same configuration."""
        if not self._duplicates.let_wait(trial):
            self._begin(trial, json.loads(trial.user_attrs["configuration"]))

    def _begin(self, trial: Trial, configuration: dict[str, Any]) -> None:
        self._drop(trial.number)  # what it was to this controller, where another has had it since
        known = trial.user_attrs
        folder = Path(known["run_dir"]) if "run_dir" in known else fresh_folder(self._folder, trial.number)
        overrides = self._study.space.overrides(configuration)
        run = TrialRun(trial, configuration, overrides, folder, self._study.seeds)
        run.remember(known.get("seed_values", {}))
        self._log.remember(run)
        if "run_dir" not in known:
            self._study.note(trial, overrides=overrides, run_dir=str(folder))
        self._runs[run.number] = run
        if not run.missing:
            self._end(run, TrialState.COMPLETE, "")
            return
        # A configuration that may be pruned runs a seed at a time, so that a bad one costs a single run.
        seeds = run.missing if self._study.judged_by == "nothing" else run.missing[:1]
        self._pending.extend(self._job(run, k) for k in seeds)

    def _job(self, run: TrialRun, seed_index: int) -> Job:
        return build_job(self._study, run, seed_index, self._job_extras)

    def _submit(self, job: Job) -> None:
        run = job.run
        self._log.begin(job)
        run.num_in_flight += 1
        write_record(self._study, run, run.folder_of(job.seed_index), "running")
        self._futures[self._launcher.submit(job.overrides, job.num)] = job
        self._display.started(run)

    # Tell.

    def _collect(self) -> None:
        """Wait for the next job to end, not long, and take note of all that have."""
        if self._futures:
            done, _ = wait(self._futures, timeout=TICK_S, return_when=FIRST_COMPLETED)
            for future in done:
                job = self._futures.pop(future)
                job.run.num_in_flight -= 1
                if self._has(job):
                    with self._unless_lost(job.run.number):
                        self._take(job, outcome_of(future, len(self._study.objectives)))
            for job in filter(self._has, self._futures.values()):
                with self._unless_lost(job.run.number):
                    self._log.place(job)
        else:
            time.sleep(TICK_S)
        self._settle_duplicates()

    def _has(self, job: Job) -> bool:
        """Whether the job's trial is still this controller's, as far as it knows."""
        return self._runs.get(job.run.number) is job.run

    def _take(self, job: Job, outcome: Outcome) -> None:
        run = job.run
        is_stopped = outcome.kind == LOST and self._interrupts.stopping
        self._log.end(job, outcome, is_stopped)
        run.attributes["pid"] = self._launcher.pid_of(job.num)
        if outcome.kind == DONE:
            self._take_result(job, list(outcome.values))
        elif outcome.kind == LOST and job.may_run_again(self._study.config.max_retries):
            self._display.say(f"Trial {run.number}: {outcome.reason}; it is run again from its checkpoint.")
            self._pending.appendleft(job)
        elif is_stopped:
            return
        else:
            # Not trained, it has no value; of trials without one, samplers look at those that are pruned.
            state = TrialState.PRUNED if outcome.kind in (PRUNED, OUTSIDE) else TrialState.FAIL
            run.violations |= outcome.violations
            run.ending = run.ending or (state, outcome.reason)
            if outcome.trace:
                run.attributes["traceback"] = outcome.trace
        if run.ending:
            self._pending = deque(other for other in self._pending if other.run is not run)
            if not run.num_in_flight:
                self._end(run, *run.ending)

    def _take_result(self, job: Job, values: list[float]) -> None:
        run = job.run
        run.results[job.seed_index] = values
        if run.seeds:
            self._study.note(run.trial, seed_values=run.seed_values)
        if not run.missing:
            run.ending = run.ending or (TrialState.COMPLETE, "")
        if self._study.judged_by == "seeds":
            self._study.report(run.trial, {job.seed_index: values[0]})
            if run.missing and run.trial.should_prune():
                run.ending = (TrialState.PRUNED, f"pruned after seed {job.seed_index} by {self._study.config.pruner}")
        if self._study.judged_by != "nothing" and run.missing and not run.ending:
            self._pending.appendleft(self._job(run, run.missing[0]))

    def _end(self, run: TrialRun, state: TrialState, reason: str) -> None:
        """Tell the study, the folder and the user how a trial ended."""
        del self._runs[run.number]
        self._note_end(end_trial(self._study, run, self._constraints, state, reason))

    def _note_end(self, told: FrozenTrial) -> None:
        if told.state == TrialState.FAIL:
            self.num_failures += 1
            self.last_failure = str(told.user_attrs.get("reason"))
        else:
            self.num_others += 1
        self._display.ended(told)
        self._next_ask = 0.0

    def _settle_duplicates(self) -> None:
        """End the trials whose twin has ended; begin those whose twin failed."""
        for trial, twin in self._duplicates.pop_ended():
            with self._unless_lost(trial.number):
                if twin.state == TrialState.FAIL:
                    self._begin_or_wait(trial)
                else:
                    self._note_end(self._duplicates.reuse(trial, twin))

    # Trials that are left.

    @contextmanager
    def _unless_lost(self, number: int) -> Iterator[None]:
        """Drop a trial that turns out to be another controller's; its jobs that run here end by their lease."""
        try:
            yield
        except TakenOver:
            log.warning("Trial %d was taken over by another controller: its result is left out.", number)
            self._drop(number)

    def _drop(self, number: int) -> None:
        self._duplicates.forget(number)
        run = self._runs.pop(number, None)
        self._pending = deque(job for job in self._pending if job.run is not run)

    def _give_back(self) -> None:
        """Leave what has not ended to a later command."""
        for run in list(self._runs.values()):
            with self._unless_lost(run.number):
                self._log.stop(run)
        for trial in [*(run.trial for run in self._runs.values()), *self._duplicates.trials]:
            self._study.give_back(trial)
        self._forget()

    def _forget(self) -> None:
        self._runs.clear()
        self._duplicates.clear()
