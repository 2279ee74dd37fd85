"""The folds of a trial as one: each spectrum as the fold said that did not train on it. n spectra, K classes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from sweeps.errors import user_error_type
from sweeps.files import load_json, write_json, write_table
from sweeps.results.run import Run, is_evaluation

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "out_of_fold"  # of a trial's folder; it holds what an evaluation holds
KFOLD = "kfold"
PREDICTIONS = "predictions.parquet"


def pooled(runs: Sequence[Run]) -> Sequence[Run]:
    """The out-of-fold evaluation in place of a trial's folds, if it is there; else the runs themselves."""
    parents = {run.path.parent for run in runs}
    if len(runs) < 2 or len(parents) > 1:
        return runs
    folder = parents.pop() / FOLDER
    with suppress(user_error_type()):  # a damaged one is made again by the sweep
        return [Run(folder)] if is_evaluation(folder) else runs
    return runs


def scores_out_of_fold(runs: Sequence[Run]) -> dict[str, Any] | None:
    """The scores of a trial's folds as one, made now if its folder has none of these runs; None if it has no folds."""
    return _kept(runs) or score_out_of_fold(runs)


def _kept(runs: Sequence[Run]) -> dict[str, Any] | None:
    """What the trial's folder holds; None unless it was made of all these runs, after all of them had ended."""
    if len(runs) < 2:
        return None
    folder = runs[0].path.parent / FOLDER
    parts = [run.path / name for run in runs for name in ("result.json", PREDICTIONS)]
    try:
        kept, made_ns = load_json(folder / "result.json"), (folder / "result.json").stat().st_mtime_ns
        is_newer = (folder / PREDICTIONS).is_file() and all(part.stat().st_mtime_ns < made_ns for part in parts)
        is_whole = kept["num_folds"] == len(runs) and len(runs) % kept["config"]["split"]["num_folds"] == 0
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return kept if is_newer and is_whole else None


def score_out_of_fold(runs: Sequence[Run]) -> dict[str, Any] | None:
    """Score a trial's folds as one, and keep scores and predictions in the trial's folder; None if it has no folds.

    Repeated folds are scored one division at a time: scores are means over them, the confusion matrix is their sum.
    """
    tables = divisions(runs)
    if not tables:
        return None
    import pandas as pd  # here, as below: a search without folds ends sooner

    from spectral.scoring.bootstrap import bootstrap_interval, group_numbers
    from spectral.scoring.split_scores import split_scores

    names, seed = runs[0].class_names, int(runs[0].config.get("seed", 0))
    has_rule = any("val/decision/macro_f1" in run.result for run in runs)
    groups = group_numbers(tables[0]["group"]) if "group" in tables[0] else None
    scores: defaultdict[str, list[float]] = defaultdict(list)
    confusion: Counter[str] = Counter()
    said: dict[str, list[Any]] = {"val": [], "val/decision": []}
    for table in tables:
        probability = table[[f"probability/{name}" for name in names]].to_numpy(np.float64)
        label, decided = (pd.Categorical(table[c], names).codes.astype(np.int64) for c in ("label", "predicted"))
        metrics, matrices = split_scores("val", probability, decided if has_rule else None, label, names, seed, groups)
        for name, value in metrics.items():
            scores[name].append(value)
        confusion.update({key: np.array(matrix) for key, matrix in matrices.items()})
        said["val"].append(probability.argmax(axis=1))
        said["val/decision"].append(decided)
    found: dict[str, Any] = {name: values[0] if _is_count(name) else fmean(values) for name, values in scores.items()}
    for key in matrices:
        low, high = bootstrap_interval(label, np.stack(said[key]), seed, groups=groups)
        found |= {f"{key}/macro_f1_low": low, f"{key}/macro_f1_high": high}
    first, folder = runs[0], runs[0].path.parent
    found |= {
        "evaluated": str(folder),
        "decision": first.result.get("decision"),
        "num_folds": len(runs),
        "confusion": {key: np.asarray(matrix).tolist() for key, matrix in confusion.items()},
        "survey": first.result["survey"],
        "config": first.config,
    }
    _write(folder / FOLDER, found, tables[0])
    return found


def divisions(runs: Sequence[Run]) -> "list[pd.DataFrame]":
    """The validation predictions of each division into folds, sorted by id.

    Empty unless each division has all its folds, and they are apart.
    """
    splits = [run.config.get("split") or {} for run in runs]
    if len(runs) < 2 or not all(
        run.result and split.get("name") == KFOLD for run, split in zip(runs, splits, strict=True)
    ):
        return []
    import pandas as pd

    parts_of: defaultdict[int, list[pd.DataFrame]] = defaultdict(list)
    for run, split in zip(runs, splits, strict=True):
        parts_of[int(split["fold"]) // int(split["num_folds"])].append(run.split("validation"))
    found = [pd.concat(parts).sort_values("id", ignore_index=True) for _, parts in sorted(parts_of.items())]
    is_whole = all(len(parts) == splits[0]["num_folds"] for parts in parts_of.values())
    is_apart = all(table["id"].is_unique and len(table) for table in found)
    return found if is_whole and is_apart and all(table["id"].equals(found[0]["id"]) for table in found) else []


def _is_count(name: str) -> bool:
    return "/num_" in name


def _write(folder: Path, result: dict[str, Any], predictions: "pd.DataFrame") -> None:
    """The predictions, of repeated folds those of the first division, and last the scores."""
    folder.mkdir(exist_ok=True)
    write_table(folder / "predictions.parquet", predictions)
    write_json(folder / "result.json", result)
