"""The result of a run of version 0.1: its scores of the decision rule stood under the names of argmax."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spectral.scoring.split_scores import DECISION, OF_THE_SPLIT, split_scores

SPLITS = {"val": "validation", "test": "test"}


def with_argmax_scores(result: Mapping[str, Any] | None, folder: Path) -> dict[str, Any] | None:
    """A result under today's names, from the probabilities in the run's predictions; the file stays as it is.

    Args:
        result: of result.json; None if there is none.
        folder: of the run.
    """
    if result is None:
        return None
    predictions = folder / "predictions.parquet"
    if "decision" in result or not predictions.is_file():
        return dict(result)
    try:
        table, names = pd.read_parquet(predictions), result.get("survey", {}).get("class_names", [])
    except (OSError, ValueError):  # whoever needs the predictions says that they cannot be read
        return dict(result)
    columns = [f"probability/{name}" for name in names]
    if not names or not {"label", "predicted", "split", *columns} <= set(table):
        return dict(result)
    found: dict[str, Any] = {**result, "confusion": dict(result.get("confusion", {}))}
    for key, split in SPLITS.items():
        rows = table[(table["split"] == split) & table["label"].isin(names)]
        if len(rows) and f"{key}/macro_f1" in result:
            _rename(found, key, rows, names, columns)
    return found


def _rename(found: dict[str, Any], key: str, rows: pd.DataFrame, names: list[str], columns: list[str]) -> None:
    """Give the scores of one split their names, if its decisions are not argmax."""
    probability = rows[columns].to_numpy(np.float64)
    label, decided = (pd.Categorical(rows[name], names).codes.astype(np.int64) for name in ("label", "predicted"))
    if np.array_equal(probability.argmax(axis=1), decided):
        return
    own = [name for name in found if name.startswith(f"{key}/")]
    moved = {name: found[name] for name in own if not name.removeprefix(f"{key}/").startswith(OF_THE_SPLIT)}
    metrics, confusions = split_scores(key, probability, None, label, names, int(found.get("seed", 0)))
    of_decision = {name.replace(f"{key}/", f"{key}/{DECISION}/", 1): value for name, value in moved.items()}
    found |= metrics | of_decision
    if key in found["confusion"]:
        found["confusion"] |= confusions | {f"{key}/{DECISION}": found["confusion"][key]}
