"""Configs and metrics side by side."""

from collections.abc import Sequence
from typing import Any

from sweeps.compare.subjects import Subject
from sweeps.space.values import text

ABSENT = "-"
# Neither says what a run was: the first always differs, and a trial of a sweep is scored on the test split at its end.
FREE_KEYS = ("run_dir", "score_test")
# Shown in this order, then the F1 of each class. The other metrics of result.json are shown with --all.
MAIN_METRICS = ("macro_f1", "decision/macro_f1", "accuracy", "balanced_accuracy", "log_loss")
SPLITS = ("val", "test", "all", "train")  # the last two for evaluations
SIZES = ("best_epoch", "num_parameters", "time/train_s")


def config_rows(subjects: Sequence[Subject], show_all: bool) -> list[list[str]]:
    """Key and one value per subject, for the keys that differ."""
    keys = dict.fromkeys(key for subject in subjects for key in subject.config)
    rows = [[key, *(_shown(subject.config, key) for subject in subjects)] for key in keys if key not in FREE_KEYS]
    return [row for row in rows if show_all or len(set(row[1:])) > 1]


def metric_rows(subjects: Sequence[Subject], show_all: bool) -> list[list[str]]:
    """One row per metric: its value for the first subject; for each other its value and the difference to the first."""
    there = list(dict.fromkeys(name for subject in subjects for name in subject.metrics))
    names = there if show_all else _main_metrics(there)
    return [[name, *_cells(subjects, name)] for name in names]


def _main_metrics(there: Sequence[str]) -> list[str]:
    names = []
    for split in SPLITS:
        names += [f"{split}/{metric}" for metric in MAIN_METRICS if f"{split}/{metric}" in there]
        names += [name for name in there if name.startswith(f"{split}/f1/")]
    names = names or [name for name in there if name.endswith("/loss")]  # of pretrainings, which know no classes
    return names + [name for name in SIZES if name in there]


def _form(subjects: Sequence[Subject], name: str) -> str:
    """The number format of a metric: four decimals for a score; none for a size, or one if a mean needs it."""
    there = [subject for subject in subjects if name in subject.metrics]
    if not all(subject.is_size(name) for subject in there):
        return ",.4f"
    return ",.0f" if all(float(subject.metrics[name]).is_integer() for subject in there) else ",.1f"


def _cells(subjects: Sequence[Subject], name: str) -> list[str]:
    values, form = [subject.metrics.get(name) for subject in subjects], _form(subjects, name)
    first, cells = values[0], [_number(values[0], form)]
    for value in values[1:]:
        difference = None if value is None or first is None else value - first
        cells += [_number(value, form), _number(difference, f"+{form}")]
    return cells


def _number(value: float | None, form: str) -> str:
    return ABSENT if value is None else format(value, form)


def _shown(config: dict[str, Any], key: str) -> str:
    return text(config[key]) if key in config else ABSENT
