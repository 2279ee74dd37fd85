"""Section: any few trials side by side, by configuration, scores and curves."""

from typing import Any

from sweeps.objective import natural_direction
from sweeps.report.figures.columns import class_names
from sweeps.report.figures.style import COLOURS, PALE
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.section import Section, render
from sweeps.results.run import Run, flat
from sweeps.space.values import text
from sweeps.study.attributes import SPREAD

MAX_CHOSEN = 6
CHOSEN_COLOURS = [colour for colour in COLOURS if colour not in PALE]
TRAINING = "train/loss"
SCORES = ("val/macro_f1", "val/decision/macro_f1", "val/accuracy", "val/balanced_accuracy", "val/log_loss", TRAINING)
EPOCHS = ("best_epoch", "num_epochs")  # which an ensemble has not: they are stored as 0
SIZES = ("num_parameters", *EPOCHS, "time/train_s")


def section(report: Report) -> Section | None:
    """None if there are not two trials to compare."""
    trials = _in_order(report)
    if len(trials) < 2:
        return None
    data = {
        "objectives": report.objectives,
        "step": report.step,
        "maxChosen": MAX_CHOSEN,
        "colours": CHOSEN_COLOURS,
        "better": _better(report),
        "listed": _differing(trials),
        "chosen": _first_choice(report, trials),
        "trials": [_told(report, trial) for trial in trials],
    }
    things = "trials" if report.study is not None else "runs"
    html = render("compare.html", num_trials=len(trials), things=things, max_chosen=MAX_CHOSEN)
    return Section("compare", "Compare", html, data=data, script="compare.js")


def _better(report: Report) -> dict[str, str]:
    """Which numbers have a better side; a training loss has none, since the losses of two trials may differ in kind."""
    scores = [*(name for name in SCORES if name != TRAINING), *(f"val/f1/{name}" for name in class_names(report))]
    ways = {name: natural_direction(name) for name in scores}
    ways |= dict(zip(report.objectives, report.directions, strict=True))
    return {name: "large" if way == "maximize" else "small" for name, way in ways.items()}


def _differing(trials: list[ReportedTrial]) -> list[str] | None:
    """The keys in which whole configs differ; None for the axes of a search, all of which do."""
    if any(trial.configuration for trial in trials):
        return None
    configurations = [_configuration(trial) for trial in trials]
    keys = dict.fromkeys(key for values in configurations for key in values)
    return [key for key in keys if len({text(values.get(key)) for values in configurations}) > 1]


def _in_order(report: Report) -> list[ReportedTrial]:
    """Trials that have begun: candidates, best first, then the others by number."""
    first = [report.by_number[number] for number in report.best_first]
    others = [trial for trial in report.trials if trial.number not in set(report.best_first)]
    return [*first, *(trial for trial in others if trial.state != "waiting")]


def _first_choice(report: Report, trials: list[ReportedTrial]) -> list[int]:
    """The best trial alongside the first enqueued configuration, or the second best."""
    first, second = trials[0].number, trials[1].number
    return [first, report.reference.number if report.reference and report.reference.number != first else second]


def _told(report: Report, trial: ReportedTrial) -> dict[str, Any]:
    """What compare.js shows of a trial; numbers have five digits."""
    values: dict[str, float] = dict(zip(report.objectives, trial.values or (), strict=False))
    spreads = zip(report.objectives, _spread(trial), strict=False)
    spread = {f"{name}, spread of {report.replicate}s": value for name, value in spreads}
    metrics = {**values, **spread, **_metrics(trial), **_times(trial)} | values
    return {
        "number": trial.number,
        "title": trial.title,
        "state": trial.state_in_words,
        "reason": trial.reason,
        "score": _rounded(trial.values[0]) if trial.values else None,
        "configuration": {axis: _written(value) for axis, value in _configuration(trial).items()},
        "metrics": {name: _rounded(value) for name, value in metrics.items()},
        "steps": list(trial.steps),
        "curve": [_rounded(value) for value in trial.steps.values()],
    }


def _spread(trial: ReportedTrial) -> list[float]:
    spread: list[float] = trial.attributes.get(SPREAD) or []
    return spread


def _times(trial: ReportedTrial) -> dict[str, float]:
    return {"seconds in all": trial.seconds} if trial.seconds is not None else {}


def _configuration(trial: ReportedTrial) -> dict[str, Any]:
    """The axes of the search; of a run that no search made, its whole config."""
    if trial.configuration or not trial.runs:
        return trial.configuration
    return flat({key: value for key, value in trial.runs[0].config.items() if key != "run_dir"})


def _metrics(trial: ReportedTrial) -> dict[str, float]:
    """Validation scores and sizes, means over the seeds. Not of the test split: it is not there to choose by."""
    finished = [run for run in trial.runs if run.result]
    if not finished:
        return {}
    sizes = SIZES if "ensemble" not in finished[0].result else [name for name in SIZES if name not in EPOCHS]
    names = [*SCORES, *(f"val/f1/{name}" for name in finished[0].class_names), *sizes]
    return {name: _mean(finished, name) for name in names if all(name in run.result for run in finished)}


def _mean(finished: list[Run], name: str) -> float:
    return sum(float(run.result[name]) for run in finished) / len(finished)


def _rounded(value: float) -> float | None:
    """Five digits, but whole numbers as they are; JSON has neither nan nor infinity."""
    if value != value or abs(value) == float("inf"):
        return None
    return int(value) if float(value).is_integer() else float(f"{value:.5g}")


def _written(value: Any) -> str:
    """A value as in an override, floats with five digits, also within lists and mappings."""
    return text(_short(value))


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, list):
        return [_short(element) for element in value]
    return {key: _short(element) for key, element in value.items()} if isinstance(value, dict) else value
