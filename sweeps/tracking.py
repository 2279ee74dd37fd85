"""Log a study as one run of Weights & Biases, at the end of each command that ran trials of it."""

import json
import logging
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeps.files import load_json
from sweeps.results.ranking import is_better, is_feasible
from sweeps.results.trial_row import axes_of, row
from sweeps.space.values import text
from sweeps.study.attributes import IDENTITY, REUSED_FROM
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing

if TYPE_CHECKING:
    from spectral.tracking.backends.contract import Ending

log = logging.getLogger(__name__)

RECORD = "tracker.json"  # docs/run-folder.md
JOB_TYPE = "sweep"
STEP_METRIC = "trials ended"


def track_study(study: SharedStudy, folder: Path, tracker: Any, *, has_news: bool = True) -> None:
    """Log the whole study to the jobs' tracker, if that is Weights & Biases. Never raises.

    If the tracker is TensorBoard, which has one folder per trial, print the command that shows all trials.

    Args:
        folder: of the sweep; it keeps the tracker's name for the study.
        tracker: the node `tracker` of the jobs' config; None if they have none.
        has_news: whether trials have ended in this command. If not, the study is logged only if an earlier command
            could not log it.
    """
    name = None if tracker is None else tracker.get("name")
    if name == "tensorboard" and any(folder.rglob("tensorboard/events.*")):
        print(f"To look at its trials: tensorboard --logdir {shlex.quote(str(folder))}")
    if name != "wandb":
        return
    try:
        _track(study, folder, tracker, has_news)
    except Exception as error:  # whatever it is, the study itself is stored
        log.warning("The study could not be logged to its tracker: %s: %s", type(error).__name__, error)


def _track(study: SharedStudy, folder: Path, tracker: Any, has_news: bool) -> None:
    from spectral.configs.trackers import trackers
    from spectral.tracking.backends.contract import TrackedRun
    from spectral.tracking.client import Tracking

    trials = standing(study.trials())
    # Of all trials: a failed one that is run again keeps its place, so that no later step becomes an earlier one.
    steps = list(best_so_far(study.trials(), study.objectives[0], study.study.directions[0]))
    if not has_news and _last_logged_step(folder) >= max((progress[STEP_METRIC] for progress in steps), default=0):
        return
    run = TrackedRun(
        id=None,
        folder=str(folder),
        config=_config(study),
        name=f"sweep {study.name}",
        group=study.name,
        job_type=JOB_TYPE,
        step_metric=STEP_METRIC,
        parts="*/*" if study.config.seeds != 1 else "*",
    )
    tracking = Tracking(trackers.typed(tracker), run)
    for progress in steps:
        tracking.log(progress, progress[STEP_METRIC])
    tracking.finish(_ending(study, trials, folder))


def _last_logged_step(folder: Path) -> int:
    """The last step of the study that was logged; -1 if the study was never logged."""
    return int(load_json(folder / RECORD).get("wandb", {}).get("last_step", -1))


def _config(study: SharedStudy) -> dict[str, Any]:
    identity: dict[str, Any] = study.study.user_attrs.get(IDENTITY, {})
    return {"study": study.name, "directions": study.directions, "num_trials": study.num_trials, **identity}


def best_so_far(trials: Sequence[FrozenTrial], objective: str, direction: StudyDirection) -> Iterator[dict[str, Any]]:
    """The first objective of each complete trial and the best value so far, in the order in which trials ended.

    Every trial that ends is counted, also a failed one that another replaces. A trial outside the constraints is
    logged, but is never the best.
    """
    best: float | None = None
    ended = [trial for trial in trials if trial.state.is_finished()]
    in_order = sorted(ended, key=lambda t: (t.datetime_complete is None, t.datetime_complete, t.number))
    for num_ended, trial in enumerate(in_order, start=1):
        if trial.state != TrialState.COMPLETE or REUSED_FROM in trial.user_attrs:
            continue
        value = trial.values[0]
        if is_feasible(trial) and (best is None or is_better(value, best, direction)):
            best = value
        best_now = {} if best is None else {f"best so far/{objective}": best}
        yield {STEP_METRIC: num_ended, "trial": trial.number, objective: value, **best_now}


def _ending(study: SharedStudy, trials: list[FrozenTrial], folder: Path) -> "Ending":
    from spectral.table import Table
    from spectral.tracking.backends.contract import Ending

    axes = axes_of(trials)
    rows = [row(trial, study.objectives, axes, folder) for trial in trials]
    tables = {"trials": Table(list(rows[0]), [[_cell(v) for v in r.values()] for r in rows])} if rows else {}
    weights, figure = what_decides(study, folder)
    if weights:
        tables["importances"] = Table(["name", "value"], [list(pair) for pair in weights.items()], chart="bars")
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


def what_decides(study: SharedStudy, folder: Path) -> tuple[dict[str, float], str | None]:
    """The importance of each axis, and parallel coordinates as a Plotly figure in JSON, both as in the report.

    Either is empty if there are too few trials.
    """
    from sweeps.report.figures.columns import columns_of
    from sweeps.report.figures.scores import complete
    from sweeps.report.figures.search_axes import parallel
    from sweeps.report.figures.search_importance import importances
    from sweeps.report.read_study import report_of
    from sweeps.report.sections.search import by_importance

    report = report_of(study.study, folder)
    trials, weights = complete(report), importances(report)
    columns = by_importance(columns_of(report, trials), weights)
    is_drawn = len(trials) > 1 and bool(columns)
    return weights, json.dumps(parallel(report, trials, columns, bool(weights)).content) if is_drawn else None
