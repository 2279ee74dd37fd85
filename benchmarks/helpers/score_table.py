"""The tables and the figure of time_to_score.py, from the curves that its arms leave."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import inf, isfinite
from pathlib import Path
from statistics import fmean
from typing import Any

from spectral.files import write_json

OURS = "ours"
NAMES = {
    OURS: "ours: ASHA with promotion",
    "joblib": "hydra-optuna-sweeper + joblib, plain PyTorch",
    "ray": "Ray Tune, ASHA, our training",
    "optuna": "Optuna, n_jobs=2, our training",
}


@dataclass(frozen=True)
class Point:
    """A score of one epoch, and the seconds from the command's start until it was there."""

    time_s: float
    trial: str
    epoch: int
    score: float


@dataclass(frozen=True)
class Search:
    """What one arm found with one draw, in the order of time.

    Args:
        duration_s: of the command. It was ended then, unless it failed.
        settings: what the command was given, for the reader.
    """

    arm: str
    draw: int
    duration_s: float
    points: tuple[Point, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The best score; -inf if there is none."""
        return max((point.score for point in self.points), default=-inf)

    def time_to(self, score: float) -> float:
        """Seconds until a trial had at least this score; infinite if none had."""
        return min((point.time_s for point in self.points if point.score >= score), default=inf)

    def num_trials(self) -> int:
        return len({point.trial for point in self.points})

    def write(self, folder: Path) -> Path:
        """Write it as JSON, its points as lists of time_s, trial, epoch and score."""
        points = [list(asdict(point).values()) for point in self.points]
        path = folder / f"{self.arm}-{self.draw}.json"
        write_json(path, {**asdict(self), "points": points})
        return path


def read_searches(folder: Path) -> list[Search]:
    """The searches of a folder, by draw, each draw in the order of NAMES."""
    found = []
    for path in folder.glob("*-*.json"):
        stored = json.loads(path.read_text())
        if isinstance(stored, dict) and stored.get("arm") in NAMES:
            points = tuple(Point(*point) for point in stored.pop("points"))
            found.append(Search(**stored, points=points))
    return sorted(found, key=lambda search: (search.draw, list(NAMES).index(search.arm)))


@dataclass(frozen=True)
class Reached:
    """How long an arm and ours took to one score, in seconds; infinite if never."""

    draw: int
    arm: str
    score: float
    arm_s: float
    ours_s: float

    @property
    def ratio(self) -> float:
        """Ours to the arm's: infinite if ours never had the score, 0 if the arm alone had not."""
        return self.ours_s / self.arm_s if isfinite(self.ours_s) else inf


def by_draw(searches: Sequence[Search]) -> dict[int, list[Search]]:
    draws: dict[int, list[Search]] = {}
    for search in searches:
        draws.setdefault(search.draw, []).append(search)
    return draws


def to_weakest(searches: Sequence[Search]) -> list[Reached]:
    """For each search of a draw: when it had the score that the weakest one ended at, and when ours had it."""
    score = min(search.best for search in searches)
    ours_s = _ours(searches).time_to(score)
    return [Reached(s.draw, s.arm, score, s.time_to(score), ours_s) for s in searches]


def to_rivals_best(searches: Sequence[Search]) -> list[Reached]:
    """For each rival of a draw: when it had its own final best, and when ours had that score."""
    ours = _ours(searches)
    rivals = [search for search in searches if search is not ours]
    return [Reached(s.draw, s.arm, s.best, s.time_to(s.best), ours.time_to(s.best)) for s in rivals]


def _ours(searches: Sequence[Search]) -> Search:
    return next(search for search in searches if search.arm == OURS)


def tables(searches: Sequence[Search]) -> Iterator[str]:
    """Markdown: what each arm ended at, and how long ours took to what its rivals reached.

    Draws that `ours` has not run are left out of the comparisons.
    """
    yield "| draw | arm | trials | epochs | best score | reached after |"
    yield "|---|---|---|---|---|---|"
    for s in searches:
        reached_s = _s(s.time_to(s.best))
        yield f"| {s.draw} | {NAMES[s.arm]} | {s.num_trials()} | {len(s.points)} | {_score(s)} | {reached_s} |"
    compared = [draw for draw in by_draw(searches).values() if {OURS} < {search.arm for search in draw}]
    for title, rows in (
        ("To the score at which the weakest arm ended", [row for draw in compared for row in to_weakest(draw)]),
        ("To the final best score of each rival", [row for draw in compared for row in to_rivals_best(draw)]),
    ):
        yield f"\n{title}:\n"
        yield "| draw | arm | score | had by the arm after | by ours after | ours / arm |"
        yield "|---|---|---|---|---|---|"
        for row in rows:
            yield (
                f"| {row.draw} | {NAMES[row.arm]} | {row.score:.4f} | {_s(row.arm_s)} | {_s(row.ours_s)} "
                f"| {_ratio(row.ratio)} |"
            )
        yield from _means(rows)


def _means(rows: Sequence[Reached]) -> Iterator[str]:
    """A row per arm: means over the draws in which ours has the score, and the ratio of these means."""
    for arm in NAMES:
        of_arm = [row for row in rows if row.arm == arm]
        both = [row for row in of_arm if isfinite(row.ours_s) and isfinite(row.arm_s)]
        if both:
            arm_s, ours_s = fmean(row.arm_s for row in both), fmean(row.ours_s for row in both)
            which = f"mean of {len(both)} of {len(of_arm)}"
            yield f"| {which} | {NAMES[arm]} | | {_s(arm_s)} | {_s(ours_s)} | {_ratio(ours_s / arm_s)} |"


def _score(search: Search) -> str:
    return f"{search.best:.4f}" if search.points else "none"


def _s(seconds: float) -> str:
    return f"{seconds:.0f} s" if isfinite(seconds) else "never"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if isfinite(ratio) else "never"


def draw_figure(searches: Sequence[Search], path: Path) -> None:
    """Best score so far against time, one panel per draw."""
    from spectral.plots.style import COLOURS, figure, save, styled

    draws = by_draw(searches)
    with styled():
        drawn, axes = figure(6.0 * len(draws), 4.0, ncols=len(draws), sharey=True, squeeze=False)
        for panel, (draw, of_draw) in zip(axes[0], draws.items(), strict=True):
            for search in of_draw:
                times, scores = best_so_far(search)
                colour = COLOURS[list(NAMES).index(search.arm)]
                panel.step(times, scores, where="post", color=colour, label=NAMES[search.arm])
            panel.set(title=f"draw {draw}", xlabel="seconds since the command's start")
        axes[0][0].set_ylabel("best validation macro-F1")
        axes[0][0].legend(loc="lower right", fontsize="small")
        save(drawn, path)


def best_so_far(search: Search) -> tuple[list[float], list[float]]:
    """The times at which the best score rose, and to what; the last point is the command's end."""
    times: list[float] = []
    scores: list[float] = []
    for point in search.points:
        if not scores or point.score > scores[-1]:
            times.append(point.time_s)
            scores.append(point.score)
    return ([*times, search.duration_s], [*scores, scores[-1]]) if scores else ([], [])
