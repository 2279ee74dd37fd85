"""The folder of a finished run as far as it says on which spectra it was scored, and such spectra in memory."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spectral.data.dataset import Dataset
from spectral.files import write_json, write_parquet
from spectral.runs.folder import RunFolder
from spectral.survey import Survey

NOW, BEFORE = "fingerprint of this version", "fingerprint of an earlier version"
NAMES = ("star", "qso")


def dataset_of(**splits: Sequence[str]) -> Dataset:
    """Spectra by their ids, split by split."""
    ids = [name for names in splits.values() for name in names]
    parts = [split for split, names in splits.items() for _ in names]
    catalog = pd.DataFrame({"id": ids, "label": "star", "class_index": 0, "length": 3, "split": parts})
    flux = np.zeros((len(ids), 1, 3), np.float32)
    return Dataset.of(Survey(flux, catalog, NAMES, fingerprint=NOW, former_fingerprint=BEFORE))


def scored_run(path: Path, fingerprint: str = NOW, folder: str = "", **ids: Sequence[str]) -> RunFolder:
    """A run that has scored spectra of some ids, such as a letter each, split by split.

    Args:
        folder: of the survey's pack.
    """
    run = RunFolder(path)
    frame = pd.DataFrame([(name, split) for split, names in ids.items() for name in names], columns=["id", "split"])
    write_parquet(run.predictions, frame.assign(label="star", predicted="star"))
    survey = {"fingerprint": fingerprint, "folder": folder, "class_names": list(NAMES)}
    about = {"objective": "train/loss", "train/loss": 1.0, "best_epoch": 1, "confusion": {}, "score_test": False}
    write_json(run.result, about | {"survey": survey})
    return run
