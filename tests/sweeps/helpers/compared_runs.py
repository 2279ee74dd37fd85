"""Runs of two classes that differ in what they predict, and what `sweeps.compare` shows of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from sweeps.compare import command

CLASSES = ["star", "qso"]
LABELS = ["star"] * 60 + ["qso"] * 40


def predicted(num_wrong: int) -> list[str]:
    """The labels, with this many of each class predicted as the other."""
    stars, quasars = LABELS[:60], LABELS[60:]
    return ["qso"] * num_wrong + stars[num_wrong:] + ["star"] * num_wrong + quasars[num_wrong:]


def macro_f1(names: Sequence[str]) -> float:
    return float(f1_score(LABELS, names, average="macro"))


def make_run(
    folder: Path, names: Sequence[str] | None, config: str = "a: 1", fingerprint: str = "f", first_id: int = 0
) -> Path:
    """A finished run that predicts `names` on its validation split; without names, an unfinished run."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(f"run_dir: {folder}\nseed: 0\n{config}\n")
    if names is not None:
        survey = {"fingerprint": fingerprint, "class_names": CLASSES}
        result = {"objective": "val/macro_f1", "val/macro_f1": macro_f1(names), "num_parameters": 1234}
        result |= {"val/f1/star": 0.5, "val/f1/qso": 0.0, "val/recall/star": 0.25, "survey": survey}
        (folder / "result.json").write_text(json.dumps(result))
        ids = [f"s{first_id + row}" for row in range(len(LABELS))]
        table = {"id": ids, "split": "validation", "label": LABELS, "predicted": list(names)}
        # The rows of another run need not be in the same order.
        rng = np.random.default_rng([*folder.name.encode()])
        pd.DataFrame(table).sample(frac=1, random_state=rng).to_parquet(folder / "predictions.parquet")
    return folder


def shown(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert command.main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def table(output: str, heading: str) -> dict[str, list[str]]:
    """First cell -> the others, of the table whose heading begins so."""
    lines = output.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(heading))
    rows = [line.split() for line in lines[start + 1 :]]
    return {row[0]: row[1:] for row in rows[: rows.index([]) if [] in rows else None]}
