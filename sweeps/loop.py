"""Ask, submit, tell in steady state: a slot gets its next job the moment the last one ends."""

import json
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.batches import Batches
from sweeps.constraints import judge
from sweeps.display import Display
from sweeps.errors import user_error_type
from sweeps.finals import Finals
from sweeps.interrupt import Interrupts
from sweeps.jobs import build_job
from sweeps.launchers.contract import StreamingLauncher
from sweeps.outcome import DONE, LOST, OUTSIDE, PRUNED, Outcome, outcome_of
from sweeps.records import fresh_folder, write_record
from sweeps.space import Constraint
from sweeps.space.values import canonical
from sweeps.study import SharedStudy
from sweeps.trial_run import Job, TrialRun

TICK_S = 0.5  # how often signals are heeded and the display is drawn
LEAST_FAILURES = 3  # after which a command whose trials all fail gives up, or after two a slot
POLL_S = 2.0  # how often a study is asked again when nothing was left, since a controller may die


class SweepLoop:
    """Runs what is left of a study on a launcher.

    Args:
        folder: of the sweep; each trial has a folder of its own in it.
        seeds: that every configuration is run with; None for its own single one.
        job_extras: overrides that every job gets last.
        finals: runs that end a finished study; None where there are none.
    """

    def __init__(
        self,
        study: SharedStudy,
        launcher: StreamingLauncher | Batches,
        folder: Path,
        seeds: list[int] | None,
        constraints: Sequence[Constraint],
        job_extras: Sequence[str],
        interrupts: Interrupts,
        display: Display,
        finals: Finals | None = None,
    ) -> None:
        self._study, self._launcher, self._folder, self._seeds = study, launcher, folder, seeds
        self._constraints, self._job_extras = constraints, list(job_extras)
        self._interrupts, self._display, self._finals = interrupts, display, finals
        self._runs: dict[int, TrialRun] = {}
        self._twins: dict[int, tuple[Trial, int]] = {}
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
        return bool(self._futures or self._pending or self._twins) or not self._study.is_finished()

    # Ask and submit.

    def _fill(self) -> None:
        while len(self._futures) < self._launcher.num_slots and not self._ends:
            if not self._pending and not self._ask():
                return
            if self._pending:
                self._submit(self._pending.popleft())

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
        trial.set_user_attr("configuration", canonical(self._study.space.suggest(trial)))
        self._begin_or_wait(trial)
        self._settle_twins()
        return True

    def _begin_or_wait(self, trial: Trial) -> None:
        """Begin a trial, or wait for an earlier one of the same configuration."""
        twin = self._study.twin(trial.number)
        if twin is None:
            self._begin(trial, json.loads(trial.user_attrs["configuration"]))
        else:
            self._twins[trial.number] = (trial, twin.number)

    def _begin(self, trial: Trial, configuration: dict[str, Any]) -> None:
        known = trial.user_attrs
        folder = Path(known["run_dir"]) if "run_dir" in known else fresh_folder(self._folder, trial.number)
        overrides = self._study.space.overrides(configuration)
        run = TrialRun(trial, configuration, overrides, folder, self._seeds)
        run.results = {int(k): values for k, values in known.get("seed_values", {}).items()}
        run.num_attempts = known.get("attempts", 0)
        if "run_dir" not in known:
            trial.set_user_attr("overrides", overrides)
            trial.set_user_attr("run_dir", str(folder))
        self._runs[run.number] = run
        if not run.missing:
            self._end(run, TrialState.COMPLETE, "")
            return
        # A configuration that may be pruned runs a seed at a time, so that a bad one costs a single run.
        seeds = run.missing if self._study.config.pruner == "none" else run.missing[:1]
        self._pending.extend(self._job(run, k) for k in seeds)

    def _job(self, run: TrialRun, seed_index: int) -> Job:
        return build_job(self._study, run, seed_index, self._job_extras)

    def _submit(self, job: Job) -> None:
        run = job.run
        run.num_attempts += 1
        run.num_in_flight += 1
        run.trial.set_user_attr("attempts", run.num_attempts)
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
                self._take(job, outcome_of(future, len(self._study.objectives)))
        else:
            time.sleep(TICK_S)
        self._settle_twins()

    def _take(self, job: Job, outcome: Outcome) -> None:
        run = job.run
        run.num_in_flight -= 1
        run.attributes |= {"slot": self._launcher.slot_of(job.num), "pid": self._launcher.pid_of(job.num)}
        if outcome.kind == DONE:
            self._take_result(job, list(outcome.values))
        elif outcome.kind == LOST and job.num_lost < self._study.config.max_retries:
            job.num_lost += 1
            self._display.say(f"Trial {run.number}: {outcome.reason}; it is run again from its checkpoint.")
            self._pending.appendleft(job)
        elif outcome.kind == LOST and self._interrupts.stopping:
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
            run.trial.set_user_attr("seed_values", run.results)
        if not run.missing:
            run.ending = run.ending or (TrialState.COMPLETE, "")
        if self._study.config.pruner == "wilcoxon":
            run.trial.report(values[0], job.seed_index)
            if run.missing and run.trial.should_prune():
                run.ending = (TrialState.PRUNED, f"pruned after seed {job.seed_index} by wilcoxon")
        if self._study.config.pruner != "none" and run.missing and not run.ending:
            self._pending.appendleft(self._job(run, run.missing[0]))

    def _end(self, run: TrialRun, state: TrialState, reason: str) -> None:
        """Tell the study, the folder and the user how a trial ended."""
        del self._runs[run.number]
        if state == TrialState.COMPLETE:
            state, reason = self._constrain(run)
        self._set_constraints(run)
        if run.seeds and run.results:
            run.attributes |= {"seeds": run.seeds, "spread": run.spread}
        values = run.values if state == TrialState.COMPLETE else None
        told = self._study.finish(run.trial, state, values, reason=reason, **run.attributes)
        if told is None:
            return
        for k in {0, *run.results}:
            write_record(self._study, run, run.folder_of(k), state.name.lower(), reason, told.values)
        self._note_end(told)

    def _constrain(self, run: TrialRun) -> tuple[TrialState, str]:
        """How a complete trial ends in view of the constraints: outside them it is complete, but never the best."""
        try:
            run.violations, reason = judge(self._constraints, [run.folder_of(k) for k in range(run.num_seeds)])
        except ValueError as error:
            return TrialState.FAIL, str(error)
        return TrialState.COMPLETE, reason

    def _set_constraints(self, run: TrialRun) -> None:
        known = self._study.trials()[run.number].constraints  # by a controller that died in between
        for name, violation in run.violations.items():
            if name not in known:
                run.trial.set_constraint(name, violation)

    def _note_end(self, told: FrozenTrial) -> None:
        if told.state == TrialState.FAIL:
            self.num_failures += 1
            self.last_failure = str(told.user_attrs.get("reason"))
        else:
            self.num_others += 1
        self._display.ended(told)
        self._next_ask = 0.0

    # Identical configurations.

    def _settle_twins(self) -> None:
        """End the trials whose twin has ended; begin those whose twin failed."""
        if not self._twins:
            return
        trials = self._study.trials()
        for number, (trial, twin_number) in list(self._twins.items()):
            twin = trials[twin_number]
            if twin.state.is_finished():
                del self._twins[number]
                self._settle(trial, twin)

    def _settle(self, trial: Trial, twin: FrozenTrial) -> None:
        if twin.state == TrialState.FAIL:
            self._begin_or_wait(trial)
            return
        for step, value in twin.intermediate_values.items():
            trial.report(value, step)
        copied = {name: twin.user_attrs[name] for name in ("run_dir", "overrides", "spread") if name in twin.user_attrs}
        for key, violation in twin.constraints.items():
            trial.set_constraint(key, violation)
        reason = f"the same configuration as trial {twin.number}"
        values = twin.values if twin.state == TrialState.COMPLETE else None
        told = self._study.finish(trial, twin.state, values, reason=reason, reused_from=twin.number, **copied)
        if told:
            self._note_end(told)

    def _give_back(self) -> None:
        """Leave what has not ended to a later command."""
        unfinished = [run.trial for run in self._runs.values()] + [trial for trial, _ in self._twins.values()]
        for trial in unfinished:
            self._study.give_back(trial)
        self._forget()

    def _forget(self) -> None:
        self._runs.clear()
        self._twins.clear()
