"""A study as one run of Weights & Biases, told at the end of each command that ran trials of it."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeps.ranking import is_feasible
from sweeps.rows import axes_of, configuration, row
from sweeps.space.values import is_number, text
from sweeps.study import IDENTITY, SharedStudy, is_better

if TYPE_CHECKING:
    from spectral.trackers.contract import Ending

log = logging.getLogger(__name__)

JOB_TYPE = "sweep"
STEP_METRIC = "trials ended"
LEAST_TRIALS = 10  # that tell anything of importances


def track_study(study: SharedStudy, folder: Path, tracker: Any) -> None:
    """Tell the tracker of the jobs of the whole study, where that is Weights & Biases; never raises.

    Args:
        folder: of the sweep; it keeps what the tracker calls the study.
        tracker: the node `tracker` of the jobs' config; None where they have none.
    """
    if tracker is None or tracker.get("name") != "wandb":
        return
    try:
        _track(study, folder, tracker)
    except Exception as error:  # whatever it is, the study is finished and kept
        log.warning("The study could not be told to its tracker: %s: %s", type(error).__name__, error)


def _track(study: SharedStudy, folder: Path, tracker: Any) -> None:
    from spectral.configs.trackers import trackers
    from spectral.trackers.contract import TrackedRun
    from spectral.tracking import Tracking

    trials = study.trials()
    names = {"group": study.name, "name": f"sweep {study.name}", "job_type": JOB_TYPE}
    run = TrackedRun(id=None, folder=str(folder), config=_config(study), step_metric=STEP_METRIC, **names)  # type: ignore[arg-type]
    tracking = Tracking(trackers.typed(tracker), run)
    for told in best_so_far(trials, study.objectives[0], study.study.directions[0]):
        tracking.log(told, told[STEP_METRIC])
    tracking.finish(_ending(study, trials))
    if list(folder.rglob("wandb/offline-run-*")):
        jobs = folder / ("*/*" if study.config.seeds != 1 else "*")
        print(f"To upload its trials: wandb sync {jobs}/wandb/offline-run-*")


def _config(study: SharedStudy) -> dict[str, Any]:
    identity: dict[str, Any] = study.study.user_attrs.get(IDENTITY, {})
    return {"study": study.name, "directions": study.directions, "num_trials": study.num_trials, **identity}


def best_so_far(trials: Sequence[FrozenTrial], objective: str, direction: StudyDirection) -> Iterator[dict[str, Any]]:
    """The first objective of each complete trial and the best until then, in the order in which they ended.

    Every trial that ends is counted. One outside the constraints is shown, and is never the best.
    """
    best: float | None = None
    ended = [trial for trial in trials if trial.state.is_finished()]
    in_order = sorted(ended, key=lambda t: (t.datetime_complete is None, t.datetime_complete, t.number))
    for num_ended, trial in enumerate(in_order, start=1):
        if trial.state != TrialState.COMPLETE or "reused_from" in trial.user_attrs:
            continue
        value = trial.values[0]
        if is_feasible(trial) and (best is None or is_better(value, best, direction)):
            best = value
        known = {} if best is None else {f"best so far/{objective}": best}
        yield {STEP_METRIC: num_ended, "trial": trial.number, objective: value, **known}


def _ending(study: SharedStudy, trials: list[FrozenTrial]) -> "Ending":
    from spectral.trackers.contract import Ending, Table

    axes = axes_of(trials)
    rows = [row(trial, study.objectives, axes) for trial in trials]
    tables = {"trials": Table(list(rows[0]), [[_cell(v) for v in r.values()] for r in rows])} if rows else {}
    weights = importances(study)
    if weights:
        tables["importances"] = Table(["name", "value"], [list(pair) for pair in weights.items()], chart="bars")
    figure = parallel_coordinates(trials, axes, study.objectives[0])
    counts = {f"trials/{s.name.lower()}": sum(t.state == s for t in trials) for s in TrialState}
    finished = study.is_finished()
    return Ending(
        status="finished" if finished else "interrupted",
        reason="" if finished else "trials are left",
        numbers=counts,
        tables=tables,
        figures={"parallel_coordinates": figure} if figure else {},
    )


def _cell(value: Any) -> Any:
    return text(value) if isinstance(value, list | dict | bool) else value


def importances(study: SharedStudy) -> dict[str, float]:
    """How much each parameter decides whether the first objective is among the good ones; empty where none can tell.

    By PED-ANOVA (Watanabe et al. 2023, https://arxiv.org/abs/2304.10255).
    """
    import warnings

    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    if sum(trial.state == TrialState.COMPLETE for trial in study.trials()) < LEAST_TRIALS:
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental
            evaluator = PedAnovaImportanceEvaluator()
            target = (lambda trial: trial.values[0]) if len(study.objectives) > 1 else None
            return get_param_importances(study.study, evaluator=evaluator, target=target)
    except (ValueError, RuntimeError) as error:  # all trials alike, say
        log.debug("No importances: %s", error)
        return {}


def parallel_coordinates(trials: Sequence[FrozenTrial], axes: Sequence[str], objective: str) -> str | None:
    """A Plotly figure as JSON: a line a complete trial, an axis for each axis that all of them have."""
    from plotly.graph_objects import Figure, Parcoords

    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    chosen = [configuration(trial) for trial in complete]
    common = [axis for axis in axes if all(axis in values for values in chosen)]
    if not complete or not common:
        return None
    scores = [trial.values[0] for trial in complete]
    dimensions = [_dimension(axis, [values[axis] for values in chosen]) for axis in common]
    line = {"color": scores, "colorscale": "Viridis", "showscale": True}
    drawn: str = Figure(
        Parcoords(line=line, dimensions=[*dimensions, {"label": objective, "values": scores}])
    ).to_json()
    return drawn


def _dimension(axis: str, values: list[Any]) -> dict[str, Any]:
    """Numbers as they are, other values by their place among the different ones."""
    if all(is_number(value) for value in values):
        return {"label": axis, "values": values}
    words = [text(value) for value in values]
    different = sorted(set(words))
    places = {word: place for place, word in enumerate(different)}
    ticks = {"tickvals": list(places.values()), "ticktext": different}
    return {"label": axis, "values": [places[word] for word in words], **ticks}
