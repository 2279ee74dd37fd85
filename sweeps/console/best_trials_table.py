"""The table at the end of a sweep. Numbers are never cut or wrapped; only the configuration is wrapped."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.trial import FrozenTrial

from sweeps.console.tables import Column, plain_lines, ruled, width_of
from sweeps.results.ranking import front_of
from sweeps.results.run_dirs import folder_of
from sweeps.results.trial_row import configuration, seconds, shown
from sweeps.space.domains.choice import Fixed
from sweeps.study.attributes import SPREAD
from sweeps.study.shared_study import SharedStudy

if TYPE_CHECKING:
    from rich.console import Console

LEAST_ROOM = 24  # terminal columns in which overrides can still be read
INDENT = 7  # of overrides that are printed on their own lines


class BestTrialsTable:
    """A table of the trials of a study, one row per trial.

    Args:
        trials: complete ones, in the order of the rows. With several objectives the Pareto front comes first.
        folder: of the study.
    """

    def __init__(self, study: SharedStudy, trials: Sequence[FrozenTrial], folder: Path) -> None:
        self._study, self._trials, self._folder = study, trials, folder

    def print(self, console: "Console") -> None:
        """Print the table in the layout that fits the terminal.

        That is one column per axis if these fit, else one column for all axes, else separate lines for the overrides.
        Output that is not a terminal has no width: its lines may be of any length.
        """
        first = "the Pareto front" if self._has_front else "best"
        title, whole = f"Study {self._study.name}, {first} first", [*self._fixed, *self._axes]
        room = console.width - width_of([*self._fixed, Column("", [""] * len(self._trials))])
        if not console.is_terminal:
            _print_lines(console, [title, *plain_lines(whole)])
        elif width_of(whole) <= console.width:
            console.print(ruled(whole, title))
        elif room >= LEAST_ROOM:
            console.print(ruled([*self._fixed, self._overrides], title))
        else:
            self._print_overrides_on_their_own_lines(console, title)

    @cached_property
    def _fixed(self) -> list[Column]:
        """The columns that are never wrapped: number, scores, time, and run folder if its name is not the number."""
        numbers = Column("trial", [str(trial.number) for trial in self._trials], is_number=True)
        times = Column("time", [f"{seconds(trial) or 0:.1f} s" for trial in self._trials], is_number=True)
        folders = Column("run folder", [self._place(trial) for trial in self._trials])
        return [numbers, *self._front(), *self._scores(), times, *([folders] if any(folders.cells) else [])]

    @property
    def _has_front(self) -> bool:
        return len(self._study.objectives) > 1

    def _front(self) -> list[Column]:
        """A column that says whether a trial is on the Pareto front; none with a single objective."""
        front = front_of(self._trials, self._study.study.directions) if self._has_front else []
        cells = ["yes" if trial.number in front else "no" for trial in self._trials]
        return [Column("front", cells)] if self._has_front else []

    def _scores(self) -> list[Column]:
        return [
            Column(name, [_score(trial, i) for trial in self._trials], is_number=True)
            for i, name in enumerate(self._study.objectives)
        ]

    def _place(self, trial: FrozenTrial) -> str:
        place = folder_of(trial.user_attrs, self._folder)
        if place is None or place.resolve() == (self._folder / str(trial.number)).resolve():
            return ""
        return place.name if place.parent.resolve() == self._folder.resolve() else str(place)

    @cached_property
    def _searched(self) -> list[dict[str, str]]:
        """For each trial axis -> value, without the axes that are fixed."""
        axes = self._study.space.axes
        searched = [name for name, axis in axes.items() if not isinstance(axis.domain, Fixed)]
        chosen = [configuration(trial) for trial in self._trials]
        return [{name: shown(values[name]) for name in searched if name in values} for values in chosen]

    @property
    def _axes(self) -> list[Column]:
        names = [axis for axis in self._study.space.axes if any(axis in values for values in self._searched)]
        return [Column(name, [values.get(name, "-") for values in self._searched]) for name in names]

    @property
    def _overrides(self) -> Column:
        cells = [" ".join(f"{name}={value}" for name, value in values.items()) for values in self._searched]
        return Column("configuration", cells, is_wrapped=True)

    def _print_overrides_on_their_own_lines(self, console: "Console", title: str) -> None:
        from rich.padding import Padding
        from rich.text import Text

        heading, *rows = plain_lines(self._fixed)
        _print_lines(console, [title, heading])
        for row, overrides in zip(rows, self._overrides.cells, strict=True):
            _print_lines(console, [row])
            console.print(Padding(Text(overrides), (0, 0, 0, INDENT), expand=False))


def _print_lines(console: "Console", lines: Sequence[str]) -> None:
    """Print lines that only the terminal itself may wrap."""
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _score(trial: FrozenTrial, index: int) -> str:
    spread = trial.user_attrs.get(SPREAD)
    return f"{trial.values[index]:.4f}" + (f" ± {spread[index]:.4f}" if spread else "")
