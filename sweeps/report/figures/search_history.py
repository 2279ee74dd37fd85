"""How the search went: every trial in its order, the best so far, and how scores grew by epoch, or by seed."""

from typing import Any

from sweeps.report.figures.scores import complete, hover, in_words, score, within
from sweeps.report.figures.style import COLOURS, GREY, counting, layout, line, marks, number, numbers, text
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.section import Figure
from sweeps.results.ranking import is_better
from sweeps.study.attributes import REUSED_FROM

MOST_CURVES = 150


def history(report: Report) -> Figure:
    """Needs a complete trial."""
    trials = complete(report)
    scores = [score(trial) for trial in trials]
    pruned = [trial for trial in report.trials if trial.state == "pruned" and last_value(trial) is not None]
    failed = [trial.number for trial in report.trials if trial.state == "fail"]
    floor = min(scores + [last_value(trial) or 0.0 for trial in pruned])
    data = [
        marks(
            f"pruned, at its last {report.step}",
            [trial.number for trial in pruned],
            numbers(last_value(trial) for trial in pruned),
            [hover(report, trial) for trial in pruned],
            color=GREY,
            symbol="x-thin-open",
            size=7,
        ),
        marks(
            "failed (at the lower edge)",
            failed,
            [number(floor)] * len(failed),
            [f"trial {n} failed: {text(report.by_number[n].reason)[:200]}" for n in failed],
            color=COLOURS[1],
            symbol="triangle-up",
            size=10,
        ),
        _complete(report, "complete", [trial for trial in trials if not trial.is_outside], "circle"),
        _complete(report, "outside the constraints", [trial for trial in trials if trial.is_outside], "circle-open"),
        line("best so far", *_best_so_far(report), COLOURS[6], line={"shape": "hv"}),
    ]
    which = in_words(report.directions[0])
    label = f"Each mark is a trial in its order; {which}; the line is the best so far{within(trials)}."
    along = counting("trial", [trial.number for trial in report.trials])
    drawn = layout(xaxis=along, y=text(report.objectives[0]))
    content = {"data": [trace for trace in data if trace["x"]], "layout": drawn}
    return Figure("search-history", label, content, height_px=400)


def _complete(report: Report, name: str, trials: list[ReportedTrial], symbol: str) -> dict[str, Any]:
    return marks(
        name,
        [trial.number for trial in trials],
        numbers(map(score, trials)),
        [hover(report, trial) for trial in trials],
        color=COLOURS[0],
        symbol=symbol,
        size=6 if len(report.trials) > 200 else 8,
        opacity=0.7,
    )


def last_value(trial: ReportedTrial) -> float | None:
    """The first objective at the last step that the trial reported."""
    return number(trial.steps[max(trial.steps)]) if trial.steps else None


def _best_so_far(report: Report) -> tuple[list[int], list[float | None]]:
    best, places, values = None, [], []
    for trial in complete(report):
        if trial.is_candidate and (best is None or is_better(score(trial), best, report.directions[0])):
            best = score(trial)
            places.append(trial.number)
            values.append(best)
    last = report.trials[-1].number
    return ([*places, last], numbers([*values, best])) if places else ([], [])


def curves(report: Report) -> Figure | None:
    """Scores by step: of all trials, or of some spread over the study; None if fewer than two reported any."""
    shown = [trial for trial in report.trials if trial.steps and REUSED_FROM not in trial.attributes]
    if len(shown) < 2:
        return None
    thinned = shown[:: -(-len(shown) // MOST_CURVES)]
    best = [trial for trial in shown if report.best and trial.number == report.best.number]
    others = [trial for trial in thinned if trial not in best]
    faint = 0.4 if len(others) > 40 else 0.8
    data = [
        *_curves("complete", [t for t in others if t.state == "complete"], COLOURS[0], 1, faint),
        *_curves("pruned", [t for t in others if t.state == "pruned"], GREY, 1, faint),
        *_curves(
            "running, paused or failed",
            [t for t in others if t.state not in ("complete", "pruned")],
            COLOURS[1],
            1,
            faint,
        ),
        *_curves("best trial", best, COLOURS[6], 3, 1.0),
    ]
    along = counting(report.step, [step for trial in [*thinned, *best] for step in trial.steps])
    content = {"data": data, "layout": layout(xaxis=along, y=text(report.objectives[0]))}
    return Figure("search-curves", _caption(report, thinned, len(shown)), content)


def _caption(report: Report, drawn: list[ReportedTrial], num_all: int) -> str:
    has_several = not report.steps_are_seeds and any(len(trial.runs) > 1 for trial in drawn)
    several = f", of several {report.replicate}s the first" if has_several else ""
    said = [f"Each line is a trial by {report.step}{several}"]
    if any(len(trial.steps) == 1 for trial in drawn):
        said.append(f"a dot one that reported a single {report.step}")
    if any(trial.state == "pruned" for trial in drawn):
        said.append("where grey ends, the trial was pruned")
    some = f" {len(drawn)} of {num_all} trials are drawn." if len(drawn) < num_all else ""
    return f"{'; '.join(said)}.{some}"


def _curves(name: str, trials: list[ReportedTrial], colour: str, width: int, opacity: float) -> list[dict[str, Any]]:
    """Many lines as one, with a gap between two; and the trials of a single step as dots."""
    lines = [trial for trial in trials if len(trial.steps) > 1]
    dots = [trial for trial in trials if len(trial.steps) == 1]
    x: list[int | None] = []
    y: list[float | None] = []
    for trial in lines:
        steps = sorted(trial.steps)
        x += [*steps, None]
        y += [*numbers(trial.steps[step] for step in steps), None]
    shared = {"opacity": opacity, "hoverinfo": "skip", "legendgroup": name}
    drawn = [line(name, x, y, colour, line={"width": width}, **shared)] if lines else []
    if dots:
        at = [next(iter(trial.steps)) for trial in dots]
        values = numbers(trial.steps[step] for trial, step in zip(dots, at, strict=True))
        markers = marks(name, at, values, None, color=colour, size=4 + width)
        drawn.append(markers | shared | {"showlegend": not lines})
    return drawn
