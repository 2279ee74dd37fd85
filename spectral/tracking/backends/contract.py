"""What a tracker gets, and what it has to do. Plain values only: they travel as JSON between two processes."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from spectral.table import Table


@dataclass(frozen=True)
class TrackedAs:
    """Who a run is to its tracker, if it is no run of its own.

    Args:
        name, group, job_type: as in TrackedRun.
        is_one_of_many: whether its weights are too many to be uploaded unless they are asked for.
    """

    name: str
    group: str
    job_type: str
    is_one_of_many: bool = False


@dataclass(frozen=True)
class TrackedRun:
    """Who is tracked.

    Args:
        id: what the tracker called the run at an earlier start; None at the first.
        folder: absolute; the tracker's own files go below it and nowhere else.
        config: the whole resolved config.
        name: for people.
        group: of runs that belong together, such as a study; empty for a run of its own.
        job_type: single for a run of its own; in a sweep trial, grid or final, and sweep for the whole.
        is_finished: whether it had its result before this start, which only adds to it.
        attempt: how often it was started until it was finished, this time included.
        step_metric: what its steps count.
        last_step: the last step that an earlier start logged; 0 for none.
        last_written_step: the last that an earlier start has written, with what it ended with; 0 for none.
        summary_by: metric -> "max" or "min", of which the best epoch is to be shown.
        parts: pattern of the folders of the runs that it is made of, below `folder`; empty for none.
    """

    id: str | None
    folder: str
    config: dict[str, Any]
    name: str = ""
    group: str = ""
    job_type: str = "single"
    is_finished: bool = False
    attempt: int = 1
    step_metric: str = "epoch"
    last_step: int = 0
    last_written_step: int = 0
    summary_by: dict[str, str] = field(default_factory=dict)
    parts: str = ""


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Args:
        status: finished, pruned, failed or interrupted.
        reason: of the last three.
        numbers: final figures by name.
        images: name -> file.
        tables: name -> table.
        figures: name -> figure in Plotly's JSON.
        weights: files that make up the trained network; empty if none is to be kept.
    """

    status: str
    reason: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    weights: list[str] = field(default_factory=list)


class Tracker(Protocol):
    """Made by a builder that takes `run` and the options of its config; it may raise anything at any time."""

    @property
    def id(self) -> str:
        """What the tracker calls the run."""

    @property
    def url(self) -> str | None:
        """Where a browser finds the run; None if it is kept offline."""

    @property
    def last_written_step(self) -> int:
        """The last step that it has written by now, earlier starts included."""

    def log(self, row: dict[str, float], step: int) -> None:
        """Take the metrics of a step; steps come in ascending order, those of earlier starts are left out."""

    def finish(self, ending: Ending) -> str:
        """End the run; gives a sentence for the user, or nothing."""
