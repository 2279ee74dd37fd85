"""What a score costs: parameters and seconds; and the front of two objectives."""

from collections.abc import Callable

from sweeps.objective import Direction
from sweeps.report.figures.scores import in_words, score, within
from sweeps.report.figures.style import COLOURS, GREY, layout, marks, number, numbers, text
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.section import Figure
from sweeps.results.ranking import pareto_front
from sweeps.results.trial_row import shown

Costs = dict[str, tuple[str, str, Callable[[ReportedTrial], float | None]]]  # title, how less of it is said, value


def cost_figures(report: Report, trials: list[ReportedTrial]) -> list[Figure]:
    """Score over each cost that differs between trials; none if an objective is a cost already."""
    costs: Costs = {
        "parameters": ("number of parameters", "with fewer parameters", _num_parameters),
        "seconds": ("time of a trial (s)", "in less time", lambda trial: trial.seconds),
    }
    figures = []
    for name, (title, less, cost) in costs.items():
        points = {t.number: (value, score(t)) for t in trials if (value := number(cost(t))) is not None}
        if len({x for x, _ in points.values()}) > 1:
            other = f"no other{within(trials)} that scores better {less}"
            label = f"Each dot is a complete trial; to those on the line there is {other}."
            directions: tuple[Direction, Direction] = ("minimize", report.directions[0])
            titles = (title, report.objectives[0])
            figures.append(_figure(report, f"search-cost-{name}", label, titles, points, directions))
    return figures


def pareto_figure(report: Report, trials: list[ReportedTrial]) -> Figure:
    """The first two objectives; needs a trial that has both."""
    points = {trial.number: (trial.values[0], trial.values[1]) for trial in trials if trial.values}
    first, second = report.directions[:2]
    label = (
        f"The first two objectives ({in_words(first)}; {in_words(second)}); those on the line are beaten by no trial"
        f"{within(trials)} in both."
    )
    return _figure(report, "search-pareto", label, tuple(report.objectives[:2]), points, (first, second))


def _figure(
    report: Report,
    name: str,
    label: str,
    titles: tuple[str, ...],
    points: dict[int, tuple[float, float]],
    directions: tuple[Direction, Direction],
) -> Figure:
    candidates = {n: point for n, point in points.items() if report.by_number[n].is_candidate}
    on_front = pareto_front(candidates, directions)
    others = [n for n in candidates if n not in on_front]
    outside = [n for n in points if report.by_number[n].is_outside]
    spread = max(x for x, _ in points.values()) / max(min(x for x, _ in points.values()), 1e-12)

    def columns(chosen: list[int]) -> tuple[list[float | None], list[float | None]]:
        return numbers(points[n][0] for n in chosen), numbers(points[n][1] for n in chosen)

    on_line = marks("Pareto front", *columns(on_front), _hovers(report, on_front), color=COLOURS[0], size=9)
    on_line |= {
        "mode": "lines+markers",
        "line": {"color": COLOURS[0], "width": 2, "shape": "hv"},  # up to the next point nothing better is known
    }
    grey = {"color": GREY, "size": 6, "opacity": 0.6}
    rest = marks("trials", *columns(others), _hovers(report, others), **grey)
    hovers = _hovers(report, outside)
    apart = marks("outside the constraints", *columns(outside), hovers, symbol="circle-open", **grey)
    data = [trace for trace in (rest, apart, on_line) if trace["x"]]
    drawn = layout(text(titles[0]), text(titles[1]))
    if directions[0] == "minimize" and spread > 20:
        drawn["xaxis"]["type"] = "log"
    return Figure(name, label, {"data": data, "layout": drawn}, height_px=380)


def _num_parameters(trial: ReportedTrial) -> float | None:
    return next((run.result["num_parameters"] for run in trial.runs if "num_parameters" in run.result), None)


def _hovers(report: Report, chosen: list[int]) -> list[str]:
    """Short ones: the configurations stand in the history."""
    return [f"trial {n}: {', '.join(map(shown, report.by_number[n].values or ()))}" for n in chosen]
