"""Studies with hand-made run folders: real storages, nothing trained."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.trial import TrialState, create_trial

from sweeps.report.model import Report
from sweeps.report.read_study import read_report
from sweeps.report.section import Section
from sweeps.space import Space
from sweeps.space.values import canonical
from sweeps.storage.connect import open_storage
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import CONFIGURATION, ENQUEUED, IDENTITY, JOBS, OVERRIDES, REFERENCE, REUSED_FROM, RUN_DIR
from sweeps.study.job_records import JobRecord, as_attribute

START = datetime(2026, 11, 1, 12)
CLASSES = ("star", "galaxy", "qso")
F1 = "val/macro_f1"


@dataclass
class Made:
    """A trial to be made.

    Args:
        runs: content of its run folders, one per seed: keyword arguments of `make_run`; None for no folder.
        begins_s, takes_s: seconds after START, and from start to end.
        slot: of its job; one job per run folder, all at the same time.
        jobs: of the trial, if they differ from that.
    """

    configuration: dict[str, Any] = field(default_factory=dict)
    values: Sequence[float] | None = None
    state: str = "COMPLETE"
    steps: dict[int, float] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    runs: Sequence[dict[str, Any]] | None = None
    begins_s: float = 0.0
    takes_s: float = 10.0
    slot: str | None = None
    jobs: Sequence[JobRecord] | None = None
    was_enqueued: bool = False


def make_report(
    folder: Path,
    trials: Sequence[Made],
    space: dict[str, Any] | None = None,
    objectives: Sequence[str] = (F1,),
    directions: Sequence[str] = ("maximize",),
    summary: dict[str, Any] | None = None,
    noted: dict[str, Any] | None = None,
) -> Report:
    """The report of a study in `folder` with these trials; `noted` are further attributes of the study."""
    open_storage.cache_clear()
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=folder.name, storage=open_storage(journal_url(folder), 60), directions=list(directions)
    )
    signature = Space.read(space).signature() if space else {}
    study.set_user_attr(IDENTITY, {"space": signature, "objectives": list(objectives), "fixed": ["model=fcn"]})
    if enqueued := [made.configuration for made in trials if made.was_enqueued]:
        study.set_user_attr(REFERENCE, canonical(enqueued[0]))
    for name, value in (noted or {}).items():
        study.set_user_attr(name, value)
    for number, made in enumerate(trials):
        study.add_trial(_trial(folder, number, made))
    if summary is not None:
        (folder / "sweep.json").write_text(json.dumps(summary))
    open_storage.cache_clear()
    return read_report(str(folder))


def _trial(folder: Path, number: int, made: Made) -> Any:
    run_dir = folder / str(number)
    runs = made.runs or ()
    for seed, content in enumerate(runs):
        make_run(run_dir / f"seed-{seed}" if len(runs) > 1 else run_dir, **content)
    attributes = {
        CONFIGURATION: json.dumps(made.configuration),
        OVERRIDES: [f"{name}={json.dumps(value)}" for name, value in made.configuration.items()],
        RUN_DIR: str(run_dir),
        JOBS: as_attribute(_jobs(made) if made.jobs is None else made.jobs),
        **made.attributes,
    }
    if made.was_enqueued:
        attributes[ENQUEUED] = canonical(made.configuration)
    state = TrialState[made.state]
    trial = create_trial(
        state=state,
        values=list(made.values) if made.values is not None else None,
        user_attrs=attributes,
        intermediate_values=made.steps,
    )
    trial.datetime_start = START + timedelta(seconds=made.begins_s) if made.state != "WAITING" else None
    trial.datetime_complete = START + timedelta(seconds=made.begins_s + made.takes_s) if state.is_finished() else None
    return trial


def _jobs(made: Made) -> list[JobRecord]:
    if made.state == "WAITING" or REUSED_FROM in made.attributes:
        return []
    ending = {"COMPLETE": "done", "FAIL": "failed", "PRUNED": "pruned", "RUNNING": ""}[made.state]
    return [job(made.begins_s, made.takes_s, ending, made.slot, seed) for seed in range(len(made.runs or (0,)))]


def job(begins_s: float, takes_s: float | None, ending: str, slot: str | None = None, seed: int = 0) -> JobRecord:
    """A job that began so many seconds after START; its reason is how it ended."""
    began_s = START.timestamp() + begins_s
    return JobRecord(seed, "me", began_s, began_s + takes_s if takes_s and ending else None, slot, ending, ending)


def make_run(
    folder: Path,
    result: dict[str, Any] | None = None,
    metrics: Sequence[dict[str, Any]] = (),
    predictions: pd.DataFrame | None = None,
    classes: Sequence[str] = CLASSES,
) -> None:
    """A run folder with the files that the report reads; result None: not finished."""
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in metrics))
    if result is not None:
        survey = {"class_names": list(classes), "fingerprint": "f", "folder": str(folder / "no-pack")}
        (folder / "result.json").write_text(json.dumps({"objective": F1, "survey": survey} | result))
    if predictions is not None:
        predictions.to_parquet(folder / "predictions.parquet")


def predictions(
    num: int = 200, error_rate: float = 0.2, seed: int = 0, split: str = "test", classes: Sequence[str] = CLASSES
) -> pd.DataFrame:
    """Predictions of spectra whose ids and labels do not depend on the seed; the first class is frequent."""
    names = np.array(classes)
    labels = np.where(np.arange(num) % 5 < 3, 0, np.arange(num) % len(names))
    rng = np.random.default_rng(seed)
    wrong = rng.random(num) < error_rate
    predicted = np.where(wrong, (labels + 1) % len(names), labels)
    logits = rng.normal(size=(num, len(names)))
    logits[np.arange(num), predicted] = logits.max(1) + 0.5
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    columns = {"id": [f"s{row}" for row in range(num)], "split": split, "label": names[labels]}
    columns |= {"predicted": names[predicted]}
    return pd.DataFrame(columns | {f"probability/{name}": probabilities[:, k] for k, name in enumerate(names)})


def figure(section: Section | None, name: str) -> dict[str, Any]:
    """The content of a figure that the section must have."""
    assert section is not None
    return next(figure.content for figure in section.figures if figure.name == name)


def names(section: Section | None) -> list[str]:
    return [figure.name for figure in section.figures] if section else []


def trace(content: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in content["data"] if trace["name"] == name)
