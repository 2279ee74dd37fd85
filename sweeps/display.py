"""What a sweep shows while it runs: a live table on a terminal, a line a trial elsewhere."""

import sys
import time
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.ranking import ranked
from sweeps.rows import configuration, seconds, shown
from sweeps.study import SharedStudy
from sweeps.trial_run import TrialRun

if TYPE_CHECKING:
    from rich.console import Console

DRAW_S = 1.0
BARS = "▁▂▃▄▅▆▇█"
HISTORY = 60


class Display:
    """Lines for a log; see LiveDisplay for a terminal."""

    def __init__(self, study: SharedStudy, console: "Console | None" = None) -> None:
        self._study = study
        if console is not None:
            self._console = console
        self._waits_told = False

    @cached_property
    def _console(self) -> "Console":
        """Made at its first use: by then jobs run."""
        from rich.console import Console

        return Console()

    def say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def started(self, run: TrialRun) -> None:
        """A job of the run was submitted."""

    def ended(self, trial: FrozenTrial) -> None:
        """A trial has ended."""
        trials = self._study.trials()
        self.say("  ".join([_ending(trial), *_progress(self._study, trials)]))

    def tick(self, runs: Iterable[TrialRun], launcher: Any) -> None:
        """Called twice a second or more often."""
        if not list(runs) and not self._waits_told and (num := self._study.num_elsewhere()):
            self.say(f"Waiting for {num} trials of other controllers.")
            self._waits_told = True

    def close(self) -> None:
        """Nothing is drawn after this."""


class LiveDisplay(Display):
    """The trials that run, by slot, under the trials that have ended."""

    def __init__(self, study: SharedStudy, console: "Console | None" = None) -> None:
        super().__init__(study, console)
        self._drawn = 0.0
        self._begun = time.monotonic()
        self._num_before = sum(trial.state.is_finished() for trial in study.trials())

    def tick(self, runs: Iterable[TrialRun], launcher: Any) -> None:
        if time.monotonic() - self._drawn >= DRAW_S:
            self._drawn = time.monotonic()
            self._live.update(self._drawing(list(runs), launcher), refresh=True)

    def close(self) -> None:
        if "_live" in vars(self):
            self._live.stop()

    @cached_property
    def _live(self) -> Any:
        from rich.live import Live

        live = Live(console=self._console, auto_refresh=False, transient=True)
        live.start()
        return live

    def _drawing(self, runs: list[TrialRun], launcher: Any) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        trials = self._study.trials()
        table = Table("slot", "trial", "epoch", self._study.objectives[0], "for", "configuration", box=None)
        for run in runs:
            table.add_row(*self._row(run, trials[run.number], launcher))
        heading = "  ".join([*_progress(self._study, trials), self._time_left(trials)])
        history = _history([t.values[0] for t in trials if t.state == TrialState.COMPLETE])
        return Group(Text(heading), Text(history), table)

    def _row(self, run: TrialRun, trial: FrozenTrial, launcher: Any) -> list[str]:
        slots = {launcher.slot_of(run.number * run.num_seeds + k) for k in run.missing}
        step = trial.last_step
        begun = trial.datetime_start.timestamp() if trial.datetime_start else time.time()
        return [
            " ".join(sorted(slot for slot in slots if slot)) or "-",
            str(run.number),
            "-" if step is None else str(step),
            "-" if step is None else f"{trial.intermediate_values[step]:.4f}",
            _duration(time.time() - begun),
            _shown(run.configuration),
        ]

    def _time_left(self, trials: list[FrozenTrial]) -> str:
        num_ended = sum(trial.state.is_finished() for trial in trials)
        pace = (num_ended - self._num_before) / (time.monotonic() - self._begun)
        return f"about {_duration((self._study.num_trials - num_ended) / pace)} left" if pace else ""


def open_display(study: SharedStudy) -> Display:
    """The display that the terminal allows."""
    return LiveDisplay(study) if sys.stdout.isatty() else Display(study)


def _ending(trial: FrozenTrial) -> str:
    values = " ".join(f"{value:.4f}" for value in trial.values or [])
    taken, reason = seconds(trial), trial.user_attrs.get("reason")
    parts = [f"trial {trial.number}", trial.state.name.lower(), values, _shown(configuration(trial))]
    parts += [_duration(taken) if taken is not None else "", f"({reason})" if reason else ""]
    return "  ".join(part for part in parts if part)


def _progress(study: SharedStudy, trials: list[FrozenTrial]) -> list[str]:
    num_ended = sum(trial.state.is_finished() for trial in trials)
    num_failed = sum(trial.state == TrialState.FAIL for trial in trials)
    parts = [f"{num_ended} of {study.num_trials}"] + ([f"{num_failed} failed"] if num_failed else [])
    best = ranked(trials, study.study.directions)[:1]
    shown = (
        ["best " + " ".join(f"{value:.4f}" for value in best[0].values) + f" in trial {best[0].number}"] if best else []
    )
    return parts + shown


def _shown(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={shown(value)}" for name, value in values.items())


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02.0f} s" if minutes else f"{rest:.1f} s"


def _history(values: list[float]) -> str:
    """The objective of the last trials as a row of bars."""
    last = [value for value in values[-HISTORY:] if abs(value) != float("inf")]
    if len(last) < 2 or max(last) == min(last):
        return ""
    low, high = min(last), max(last)
    return "".join(BARS[round((value - low) / (high - low) * (len(BARS) - 1))] for value in last)
