"""The final runs of a sweep: the best trial and the reference run once more, without `sweep.search_overrides`.

Their training is already finished, so that a final run only adds what the search left out: the test scores.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, cast

from hydra.core.utils import JobReturn
from optuna.trial import FrozenTrial, Trial

from sweeps.launchers.contract import StreamingLauncher
from sweeps.loop.batch_adapter import Batches
from sweeps.loop.display import Display
from sweeps.loop.interrupts import Interrupts
from sweeps.loop.job import build_job
from sweeps.loop.job_queue import JobQueue
from sweeps.loop.outcome import NOT_STARTED, Outcome, outcome_of
from sweeps.loop.starts import Starts
from sweeps.loop.trial_json import mark_final
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.results.final_trials import lacks_final, without_final
from sweeps.results.run_dirs import folder_to_run_in
from sweeps.results.trial_row import configuration
from sweeps.study.attributes import OVERRIDES, SEEDS
from sweeps.study.identity import overrides_now
from sweeps.study.job_records import DONE, LOST
from sweeps.study.shared_study import SharedStudy

TICK_S = 0.5
POLL_S = 2.0  # between two checks whether another controller has ended its runs, or died


class Finals:
    """Runs the final trials of a finished study, each once, however many controllers and commands there are.

    Args:
        folder: of the study.
        job_extras: overrides that every job gets last.
    """

    def __init__(self, study: SharedStudy, folder: Path, job_extras: Sequence[str], display: Display) -> None:
        self._study, self._folder = study, folder
        self._job_extras, self._display = list(job_extras), display
        self.failure = ""  # of the last run that failed

    def run(self, launcher: StreamingLauncher | Batches, interrupts: Interrupts, starts: Starts) -> None:
        """Run until all final trials have ended, here or on another controller that may die, or the sweep must stop."""
        left, has_said = self._trials_here(), False
        while left and not interrupts.draining and not starts.have_timed_out:
            mine = next((trial for trial in left if self._study.claim_final(trial.number)), None)
            if mine:
                while self._study.ownership.lost_controllers:
                    launcher.end_jobs_of(self._study.ownership.lost_controllers.pop())
                self._run_claimed(mine, launcher, interrupts, starts)
            left = [trial for trial in left if trial is not mine and not self._study.has_final(trial.number)]
            if left and not mine:
                if not has_said:
                    self._display.say(f"Waiting for another controller to end the last runs of {_numbers(left)}.")
                    has_said = True
                time.sleep(POLL_S)

    def are_left(self) -> bool:
        """Whether some final trial has not been run to its end yet."""
        return lacks_final(self._study.study)

    def _trials_here(self) -> list[FrozenTrial]:
        """The final trials that are left. Those whose runs are not here, and would be trained again, are only named."""
        here = []
        for trial in without_final(self._study.study):
            run = self._run_of(trial)
            lacking = [run.folder_of(k) for k in range(run.num_seeds) if not run.is_here(k)]
            if lacking:
                self._display.say(
                    f"The last run of trial {trial.number} is left to the machine that has its folder, since "
                    f"{lacking[0]} holds no finished run: give the same command there, or copy the folder here."
                )
            else:
                here.append(trial)
        return here

    def _run_claimed(
        self, trial: FrozenTrial, launcher: StreamingLauncher | Batches, interrupts: Interrupts, starts: Starts
    ) -> None:
        is_done = False
        try:
            is_done = self._run_trial(trial, launcher, interrupts, starts)
        finally:
            self._study.note_final(trial.number, is_done)

    def _run_trial(
        self, trial: FrozenTrial, launcher: StreamingLauncher | Batches, interrupts: Interrupts, starts: Starts
    ) -> bool:
        """Run all seeds of a trial; returns whether every run ended well."""
        queue, in_flight, is_done = JobQueue(), dict[Future[JobReturn], Job](), True
        queue.add(self._jobs_of(trial))
        while (queue or in_flight) and not interrupts.stopping and not starts.have_timed_out:
            while job := queue.pop_due():
                job.begin_record(self._study.controller.id)
                in_flight[launcher.submit(job.overrides, job.num)] = job
            if in_flight:
                self._display.tick(list(in_flight.values()), launcher)
            if isinstance(launcher, Batches):
                launcher.flush()
            for future in _done(in_flight):
                job = in_flight.pop(future)
                outcome = outcome_of(future, len(self._study.objectives))
                if not self._is_queued_again(job, outcome, queue, starts) and outcome.kind != DONE:
                    is_done = False
                    self.failure = f"Trial {trial.number} could not be run to its end: {outcome.reason}"
                    self._display.say(self.failure)
            starts.note_running(sum(launcher.slot_of(job.num) is not None for job in in_flight.values()))
        return is_done and not in_flight and not queue

    def _run_of(self, trial: FrozenTrial) -> TrialRun:
        attributes: Any = trial.user_attrs
        # Only the number of the trial is used: it has ended, so nothing more is written to the study.
        folder, seeds = folder_to_run_in(attributes, self._folder, self._study.url), attributes.get(SEEDS)
        assert folder is not None  # it has ended
        overrides = overrides_now(attributes[OVERRIDES], self._study.space, self._study.config.free_keys)
        return TrialRun(cast(Trial, trial), configuration(trial), overrides, folder, seeds)

    def _jobs_of(self, trial: FrozenTrial) -> list[Job]:
        run = self._run_of(trial)
        jobs = [build_job(self._study, run, k, self._job_extras, is_final=True) for k in range(run.num_seeds)]
        for job in jobs:
            mark_final(run.folder_of(job.seed_index))
        return jobs

    def _is_queued_again(self, job: Job, outcome: Outcome, queue: JobQueue, starts: Starts) -> bool:
        """Queue a job again if it was lost or could not start, and may run again; returns whether it was queued."""
        if outcome.kind == NOT_STARTED:
            starts.failed(outcome.reason)
            job.withdraw_record()
        else:
            starts.worked()
            job.end_record(outcome.kind, outcome.reason, None)
        if outcome.kind not in (LOST, NOT_STARTED):
            return False
        answer = self._study.retries.ask(job.run.attempts(job.seed_index), job.num_failed_starts)
        if answer.pause_s is not None:
            queue.add_first(job, answer.pause_s)
        return answer.pause_s is not None


def _done(in_flight: "dict[Future[JobReturn], Job]") -> "set[Future[JobReturn]]":
    """The jobs that have ended, after a short wait for one to end."""
    if in_flight:
        return wait(in_flight, timeout=TICK_S, return_when=FIRST_COMPLETED)[0]
    time.sleep(TICK_S)
    return set()


def _numbers(trials: list[FrozenTrial]) -> str:
    return " and ".join(f"trial {trial.number}" for trial in trials)
