"""What a sweep ends with: the configurations that count are run once more, without what held the search back.

Their runs are finished, so that a run only adds what it had held back: the test scores.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, cast

from hydra.core.utils import JobReturn
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.batches import Batches
from sweeps.display import Display
from sweeps.interrupt import Interrupts
from sweeps.jobs import build_job
from sweeps.launchers.contract import StreamingLauncher
from sweeps.outcome import DONE, LOST, Outcome, outcome_of
from sweeps.ranking import ranked
from sweeps.records import mark_final
from sweeps.study import SharedStudy
from sweeps.trial_run import Job, TrialRun

TICK_S = 0.5


def final_trials(trials: list[FrozenTrial], study: SharedStudy) -> list[FrozenTrial]:
    """The best trial, and the first known configuration to compare it with, where it ended well."""
    best = ranked(trials, study.study.directions)[:1]
    first = [t for t in trials if t.user_attrs.get("known") == 0 and study.config.enqueue]
    reference = [t for t in first if t.state == TrialState.COMPLETE and t not in best]
    return best + reference


class Finals:
    """Runs the final trials of a finished study, each once, whatever the number of controllers and commands.

    Args:
        job_extras: overrides that every job gets last.
    """

    def __init__(
        self, study: SharedStudy, seeds: list[int] | None, job_extras: Sequence[str], display: Display
    ) -> None:
        self._study, self._seeds, self._job_extras, self._display = study, seeds, list(job_extras), display

    def run(self, launcher: StreamingLauncher | Batches, interrupts: Interrupts) -> None:
        """Until all have ended, or the sweep is to stop."""
        for trial in final_trials(self._study.trials(), self._study):
            if not interrupts.draining and self._study.claim_final(trial.number):
                is_done = False
                try:
                    is_done = self._run_trial(trial, launcher, interrupts)
                finally:
                    self._study.note_final(trial.number, is_done)

    def _run_trial(self, trial: FrozenTrial, launcher: StreamingLauncher | Batches, interrupts: Interrupts) -> bool:
        """Whether every seed's run has ended well."""
        known: Any = trial.user_attrs
        # Of the trial only its number is asked: it has ended, and nothing more is told of it.
        run = TrialRun(cast(Trial, trial), {}, known["overrides"], Path(known["run_dir"]), self._seeds)
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
        if outcome.kind != LOST or job.num_lost >= self._study.config.max_retries:
            return None
        job.num_lost += 1
        return launcher.submit(job.overrides, job.num)
