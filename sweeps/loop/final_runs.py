"""What a sweep ends with: the configurations that count are run once more, without what held the search back.

Their runs are finished, so that a run only adds what it had held back: the test scores.
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
from sweeps.loop.outcome import Outcome, outcome_of
from sweeps.loop.trial_json import mark_final
from sweeps.loop.trial_run import Job, TrialRun
from sweeps.results.final_trials import final_trials, lacks_final
from sweeps.study.job_records import DONE, LOST
from sweeps.study.renamed import renamed_override
from sweeps.study.shared_study import SharedStudy

TICK_S = 0.5
POLL_S = 2.0  # how often it is asked whether another controller has ended its runs, or died


class Finals:
    """Runs the final trials of a finished study, each once, whatever the number of controllers and commands.

    Args:
        job_extras: overrides that every job gets last.
    """

    def __init__(self, study: SharedStudy, job_extras: Sequence[str], display: Display) -> None:
        self._study, self._job_extras, self._display = study, list(job_extras), display

    def run(self, launcher: StreamingLauncher | Batches, interrupts: Interrupts) -> None:
        """Until all have ended, here or with another controller, which may die over it; or the sweep is to stop."""
        left, is_told = self._trials(), False
        while left and not interrupts.draining:
            mine = next((trial for trial in left if self._study.claim_final(trial.number)), None)
            if mine:
                self._run_claimed(mine, launcher, interrupts)
            left = [trial for trial in left if trial is not mine and not self._study.has_final(trial.number)]
            if left and not mine:
                if not is_told:
                    self._display.say(f"Waiting for the last runs of another controller, of {_numbers(left)}.")
                    is_told = True
                time.sleep(POLL_S)

    def are_left(self) -> bool:
        """Whether some final trial was not yet run to its end."""
        return lacks_final(self._study.study)

    def _trials(self) -> list[FrozenTrial]:
        return final_trials(self._study.study)

    def _run_claimed(self, trial: FrozenTrial, launcher: StreamingLauncher | Batches, interrupts: Interrupts) -> None:
        is_done = False
        try:
            is_done = self._run_trial(trial, launcher, interrupts)
        finally:
            self._study.note_final(trial.number, is_done)

    def _run_trial(self, trial: FrozenTrial, launcher: StreamingLauncher | Batches, interrupts: Interrupts) -> bool:
        """Whether every seed's run has ended well."""
        known: Any = trial.user_attrs
        # Of the trial only its number is asked: it has ended, and nothing more is told of it.
        overrides = [renamed_override(override) for override in known["overrides"]]
        run = TrialRun(cast(Trial, trial), {}, overrides, Path(known["run_dir"]), known.get("seeds"))
        jobs = [build_job(self._study, run, k, self._job_extras, is_final=True) for k in range(run.num_seeds)]
        for job in jobs:
            mark_final(run.folder_of(job.seed_index))
        futures = {launcher.submit(job.overrides, job.num): job for job in jobs}
        is_done = True
        while futures and not interrupts.stopping:
            if isinstance(launcher, Batches):
                launcher.flush()
            done, _ = wait(futures, timeout=TICK_S, return_when=FIRST_COMPLETED)
            for future in done:
                job = futures.pop(future)
                outcome = outcome_of(future, len(self._study.objectives))
                if again := self._again(job, outcome, launcher):
                    futures[again] = job
                elif outcome.kind != DONE:
                    is_done = False
                    self._display.say(f"Trial {trial.number} could not be run to its end: {outcome.reason}")
        return is_done and not futures

    def _again(self, job: Job, outcome: Outcome, launcher: StreamingLauncher | Batches) -> "Future[JobReturn] | None":
        """A job whose worker died, submitted once more."""
        if outcome.kind == LOST and job.may_run_again(self._study.config.max_retries):
            return launcher.submit(job.overrides, job.num)
        return None


def _numbers(trials: list[FrozenTrial]) -> str:
    return " and ".join(f"trial {trial.number}" for trial in trials)
