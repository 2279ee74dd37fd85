"""The display of a running sweep: a live table on a terminal, one line per trial elsewhere."""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.loop.trial_run import Job
from sweeps.results.ranking import ranked
from sweeps.results.trial_row import configuration, duration, seconds, shown
from sweeps.study.attributes import REASON, progress_key
from sweeps.study.paused import is_paused, state_name
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import num_ended, standing

if TYPE_CHECKING:
    from rich.console import Console

DRAW_S = 1.0
LOG_S = 60.0  # between two lines on the progress of the jobs, in a log
BARS = "▁▂▃▄▅▆▇█"
HISTORY = 60


class Display:
    """A display of plain lines, for a log; see LiveDisplay for a terminal."""

    def __init__(self, study: SharedStudy, console: "Console | None" = None) -> None:
        self._study = study
        if console is not None:
            self._console = console
        self._has_said_waiting = False
        self._best: tuple[int, FrozenTrial | None] = (0, None)  # of so many complete trials
        self._last_said, self._last_said_s = "", time.monotonic()

    @cached_property
    def _console(self) -> "Console":
        """The console, made at its first use, when jobs already run: importing it takes time."""
        from spectral.terminal import Terminal

        return Terminal()

    def say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def ended(self, trial: FrozenTrial) -> None:
        """Print a line on a trial that has ended, or is paused."""
        trials = self._study.trials()
        self.say("  ".join([_ending(trial), *self._progress(trials)]))

    def tick(self, jobs: Sequence[Job], launcher: Any) -> None:
        """Update the display. Called at least twice a second, with the running jobs."""
        if not self._has_said_waiting and (line := self._waiting(jobs)):
            self.say(line)
            self._has_said_waiting = True
        if time.monotonic() - self._last_said_s >= LOG_S:
            self._last_said_s = time.monotonic()
            self._say_how_far(jobs)

    def _waiting(self, jobs: Sequence[Job]) -> str:
        """A line on trials of other controllers, if this sweep only waits for those; empty otherwise."""
        num = 0 if jobs else self._study.num_elsewhere()
        return f"Waiting for {num} trial{'s' * (num > 1)} of other controllers." if num else ""

    def _say_how_far(self, jobs: Sequence[Job]) -> None:
        trials = self._study.trials()
        progress = [(job, how_far(trials[job.run.number], job.seed_index)) for job in jobs]
        parts = [f"trial {_name(job)} epoch {far[0]} {far[1]:.4f}" for job, far in progress if far]
        line = ", ".join(parts)
        if line and line != self._last_said:
            self.say(f"running: {line}")
            self._last_said = line

    def _progress(self, trials: list[FrozenTrial]) -> list[str]:
        num_failed = sum(trial.state == TrialState.FAIL for trial in standing(trials))
        parts = [f"{num_ended(trials)} of {self._study.num_trials}"] + ([f"{num_failed} failed"] if num_failed else [])
        best = self._best_of(trials)
        if best is not None:
            parts.append("best " + " ".join(f"{value:.4f}" for value in best.values) + f" in trial {best.number}")
        return parts

    def _best_of(self, trials: list[FrozenTrial]) -> FrozenTrial | None:
        """The best trial, searched again only if one has completed since: ranking many takes time."""
        num_complete = sum(trial.state == TrialState.COMPLETE for trial in trials)
        if num_complete != self._best[0]:
            self._best = num_complete, next(iter(ranked(trials, self._study.study.directions)), None)
        return self._best[1]

    def close(self) -> None:
        """End the display; nothing is drawn after this."""


class LiveDisplay(Display):
    """A live table of the running jobs, one row per slot, below the lines on ended trials."""

    def __init__(self, study: SharedStudy, console: "Console | None" = None) -> None:
        super().__init__(study, console)
        self._drawn = 0.0
        self._shown = ExitStack()
        self._begun = time.monotonic()
        self._num_before = _num_done(study.trials())

    def tick(self, jobs: Sequence[Job], launcher: Any) -> None:
        if time.monotonic() - self._drawn >= DRAW_S:
            self._drawn = time.monotonic()
            self._live.update(self._drawing(jobs, launcher), refresh=True)

    def close(self) -> None:
        self._shown.close()

    @cached_property
    def _live(self) -> Any:
        from rich.live import Live

        from spectral.terminal import printed_above

        how: dict[str, Any] = {"auto_refresh": False, "redirect_stdout": False, "redirect_stderr": False}
        live = Live(console=self._console, transient=True, **how)
        self._shown.enter_context(live)
        self._shown.enter_context(printed_above(self._console))
        return live

    def _drawing(self, jobs: Sequence[Job], launcher: Any) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        trials = self._study.trials()
        table = Table("slot", "trial", "epoch", self._study.objectives[0], "for", "configuration", box=None)
        for job in jobs:
            table.add_row(*self._row(job, trials[job.run.number], launcher))
        heading = "  ".join([*self._progress(trials), self._time_left(trials)])
        history = _history([t.values[0] for t in trials if t.state == TrialState.COMPLETE])
        waiting = self._waiting(jobs)
        return Group(Text(heading), Text(history), Text(waiting) if waiting else table)

    def _row(self, job: Job, trial: FrozenTrial, launcher: Any) -> list[str]:
        far = how_far(trial, job.seed_index)
        now_s = time.time()
        return [
            launcher.slot_of(job.num) or "-",
            _name(job),
            str(far[0]) if far else "-",
            f"{far[1]:.4f}" if far else "-",
            duration(now_s - (job.record.began_s if job.record else now_s)),
            _shown(job.run.configuration),
        ]

    def _time_left(self, trials: list[FrozenTrial]) -> str:
        num = _num_done(trials)
        pace, num_left = (num - self._num_before) / (time.monotonic() - self._begun), self._study.num_trials - num
        return f"about {duration(num_left / pace)} left" if pace > 0 and num_left > 0 else ""


def open_display(study: SharedStudy) -> Display:
    """The live display on a terminal, else the plain one."""
    return LiveDisplay(study) if sys.stdout.isatty() else Display(study)


def how_far(trial: FrozenTrial, seed_index: int) -> tuple[int, float] | None:
    """The last step that a job of a trial has reported, and its value; None if it has reported none."""
    if progress := trial.user_attrs.get(progress_key(seed_index)):
        return int(progress[0]), float(progress[1])
    step = trial.last_step
    return (step, trial.intermediate_values[step]) if step is not None and seed_index == 0 else None


def _num_done(trials: list[FrozenTrial]) -> int:
    """How many trials have ended, or are paused: few of these continue."""
    return num_ended(trials) + sum(map(is_paused, trials))


def _name(job: Job) -> str:
    return f"{job.run.number} seed-{job.seed_index}" if job.run.seeds else str(job.run.number)


def _ending(trial: FrozenTrial) -> str:
    values = " ".join(f"{value:.4f}" for value in trial.values or [])
    taken, reason = seconds(trial), trial.user_attrs.get(REASON)
    parts = [f"trial {trial.number}", state_name(trial), values, _shown(configuration(trial))]
    parts += [duration(taken) if taken is not None else "", f"({reason})" if reason else ""]
    return "  ".join(part for part in parts if part)


def _shown(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={shown(value)}" for name, value in values.items())


def _history(values: list[float]) -> str:
    """The objective of the last trials, as a row of bars."""
    last = [value for value in values[-HISTORY:] if abs(value) != float("inf")]
    if len(last) < 2 or max(last) == min(last):
        return ""
    low, high = min(last), max(last)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in last)
