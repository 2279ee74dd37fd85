"""How much each axis matters: PED-ANOVA (Watanabe, Bansal & Hutter 2023) over the columns of the axes."""

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from sweeps.report.figures.columns import MOST_CATEGORIES, Column, columns_of
from sweeps.report.figures.scores import complete, score
from sweeps.report.figures.style import COLOURS, axis, layout, named_places, tail
from sweeps.report.model import Report
from sweeps.report.section import Figure

BEST = 0.25  # the part of the trials that others are held against; a smaller one misses categories (lab notebook)
FEWEST = 10  # trials
ENOUGH = 40  # trials from which on the order of the axes is more than a hint


def importances(report: Report) -> dict[str, float]:
    """Axis -> part of 1, the largest first. Empty if too few trials are complete."""
    trials = complete(report)
    columns = {column.name: column for column in columns_of(report, trials)}
    if len(trials) < FEWEST or len({score(trial) for trial in trials}) < 2 or not columns:
        return {}
    coded = {name: _coded(column) for name, column in columns.items()}
    # The study's own parameters would not do: those of a simplex are helpers that nobody reads.
    study = optuna.create_study(storage=optuna.storages.InMemoryStorage(), direction=report.directions[0])
    for trial in trials:
        params = {name: values[trial.number] for name, (_, values) in coded.items() if trial.number in values}
        of_axes = {name: coded[name][0] for name in params}
        study.add_trial(create_trial(params=params, distributions=of_axes, value=score(trial)))
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=BEST))
    by_axis: dict[str, float] = {}
    for name, part in found.items():
        # The most of its columns, not their sum: an axis of many columns would gain by the noise of each.
        by_axis[columns[name].axis] = max(by_axis.get(columns[name].axis, 0.0), part)
    total = sum(by_axis.values())
    return {axis: part / total for axis, part in sorted(by_axis.items(), key=lambda item: -item[1])}


def importance_figure(report: Report, parts: dict[str, float]) -> Figure:
    num = len(complete(report))
    hint = f" {num} complete trials give no more than a hint." if num < ENOUGH else ""
    label = (
        f"How much each axis decides whether a trial is among the best quarter (PED-ANOVA); the bars add up to 1.{hint}"
    )
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(parts))),
        "x": [round(part, 4) for part in parts.values()],
        "text": [f"{part:.2f}" for part in parts.values()],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "none",
        "marker": {"color": COLOURS[0]},
    }
    ticks = named_places(tail(name, 32) for name in parts)
    drawn = layout("importance", yaxis=axis(autorange="reversed", **ticks), bargap=0.35)
    drawn["xaxis"] |= {"range": [0, 1.2 * max(parts.values())]}  # room for the numbers
    return Figure("search-importance", label, {"data": [bars], "layout": drawn}, height_px=110 + 34 * len(parts))


def _coded(column: Column) -> tuple[BaseDistribution, dict[int, float]]:
    """A column as Optuna takes it: its distribution, and the value of each trial."""
    values = column.values
    if column.categories is not None:
        return CategoricalDistribution(tuple(range(len(column.categories)))), {n: int(v) for n, v in values.items()}
    numbers = sorted(set(values.values()))
    if len(numbers) <= MOST_CATEGORIES:
        # By place: a density over a continuous range takes the chance in two or three numbers for importance.
        return IntDistribution(0, len(numbers) - 1), {n: numbers.index(v) for n, v in values.items()}
    low, high = float(numbers[0]), float(numbers[-1])
    return FloatDistribution(low, high, log=column.is_log and low > 0), {n: float(v) for n, v in values.items()}
