"""Run folders that no study holds, as a report shows them: the runs that share an objective and a survey."""

import math
from collections import Counter
from pathlib import Path
from typing import Any

from sweeps.errors import did_you_mean
from sweeps.objective import natural_direction
from sweeps.outputs import JOURNAL_FILE
from sweeps.report.model import Report, ReportedTrial
from sweeps.results.run import Run, trouble
from sweeps.space.values import is_number
from sweeps.study.attributes import RUN_DIR
from sweeps.study.find import CONFIG, names_in_outputs


def read_run_folders(folder: Path) -> Report:
    """The finished runs of a folder, or that folder itself: the most frequent of those with one survey and objective.

    Raises:
        LookupError: there is no finished run that can be read.
    """
    paths = [folder, *sorted(folder.glob("*"))] if folder.is_dir() else []
    runs = [Run(path) for path in paths if (path / "result.json").is_file()]
    troubles = [(run, trouble(run, "result", "metrics", "config") or _without_objective(run)) for run in runs]
    left_out = [reason for _, reason in troubles if reason]
    runs = [run for run, reason in troubles if not reason]
    if not runs:
        hint = "" if folder.is_dir() else did_you_mean(folder.name, names_in_outputs(CONFIG, JOURNAL_FILE))
        why = left_out[0] if left_out else f"{hint}it is neither a study nor a finished run."
        raise LookupError(f"there is nothing to report on in {folder}: {why}")
    objectives, survey = Counter(map(_kind, runs)).most_common(1)[0][0]
    others = [(run, _of_another(run, objectives, survey)) for run in runs]
    left_out += [reason for _, reason in others if reason]
    runs = [run for run, reason in others if not reason]
    # The predictions of the best run alone are read.
    while reason := trouble(_best_first(runs, objectives)[0], "predictions"):
        left_out.append(reason)
        runs.remove(_best_first(runs, objectives)[0])
        if not runs:
            raise LookupError(f"there is nothing to report on in {folder}: {reason}")
    places = {run: place for place, run in enumerate(runs)}
    return Report(
        name=folder.resolve().name,
        folder=folder,
        objectives=list(objectives),
        directions=[natural_direction(name) for name in objectives],
        trials=[_of_run(place, run, objectives) for run, place in places.items()],
        best_first=[places[run] for run in _best_first(runs, objectives) if _values(run, objectives)],
        left_out=left_out,
    )


def _objectives(run: Run) -> tuple[str, ...]:
    named: Any = run.result["objective"]
    return (named,) if isinstance(named, str) else tuple(map(str, named))


def _kind(run: Run) -> tuple[tuple[str, ...], str]:
    """What runs must share for their scores to be ranked: objectives and the fingerprint of the survey."""
    return _objectives(run), run.survey_fingerprint


def _of_another(run: Run, objectives: tuple[str, ...], survey: str) -> str | None:
    """Why a run is not ranked with those of these objectives and survey; None if it is."""
    if _objectives(run) != objectives:
        return f"{run.path} was judged by {', '.join(_objectives(run))}."
    return None if run.survey_fingerprint == survey else f"{run.path} is of another survey."


def _without_objective(run: Run) -> str | None:
    named = run.result.get("objective")
    return None if named and isinstance(named, str | list) else f"{run.path / 'result.json'} names no objective."


def _values(run: Run, objectives: tuple[str, ...]) -> tuple[float, ...] | None:
    """None unless all are there and finite."""
    values: tuple[Any, ...] = tuple(run.result.get(name) for name in objectives)
    return values if all(is_number(value) and math.isfinite(value) for value in values) else None


def _best_first(runs: list[Run], objectives: tuple[str, ...]) -> list[Run]:
    """By the first objective; those without values last."""
    sign = 1 if natural_direction(objectives[0]) == "minimize" else -1

    def cost(run: Run) -> tuple[bool, float]:
        values = _values(run, objectives)
        return (values is None, sign * values[0] if values else 0.0)

    return sorted(runs, key=cost)


def _of_run(number: int, run: Run, objectives: tuple[str, ...]) -> ReportedTrial:
    values = _values(run, objectives)
    return ReportedTrial(
        number=number,
        state="complete",
        values=values,
        configuration={},
        overrides=[],
        reason="",
        started=None,
        ended=None,
        steps={row["epoch"]: row[objectives[0]] for row in run.metrics if {"epoch", objectives[0]} <= row.keys()},
        attributes={RUN_DIR: str(run.path)},
        runs=(run,),
        is_candidate=values is not None,
        of_folder=_title(run),
    )


def _title(run: Run) -> str:
    ensemble = f", ensemble of {len(run.members)}" if run.members else ""
    return f"{run.path.resolve().name}{ensemble}"
