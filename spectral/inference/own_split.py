"""Whether the spectra of a run are still divided as they were when it was trained."""

import numpy as np
import pandas as pd

from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.runs.folder import RunFolder


def check_own_split(folder: RunFolder, dataset: Dataset) -> None:
    """Check that no spectrum which validated a run is now in another part, and none which tested it in training.

    As far as its predictions tell: of a run that has scored nothing yet they tell nothing.

    A split is saved in its pack, and spectra that are appended later are added to it. Where it is gone, as in another
    cache, all are divided at once: a test split then holds spectra that the run was trained on.

    Args:
        dataset: the run's own, as it is divided now.

    Raises:
        UserError: the sentence says what to do.
    """
    frame, made = folder.load_predictions(), (folder.load_result() or {}).get("ensemble")
    if not len(frame):
        return
    # Of an ensemble of folds the validation is that of all folds, and the split that of one.
    is_out_of_fold = isinstance(made, dict) and made.get("out_of_fold")
    others = dataset.test if is_out_of_fold else np.concatenate([dataset.train, dataset.test])
    validated, tested = (frame.loc[frame["split"] == split, "id"] for split in ("validation", "test"))
    is_elsewhere = pd.Index(dataset.ids[others]).isin(validated).any()
    if is_elsewhere or pd.Index(dataset.ids[dataset.train]).isin(tested).any():
        raise UserError(
            f"the spectra of the run in {folder.path} are divided otherwise than when it was trained: give the "
            "cache_dir that it had then, or put the folder splits of its pack back."
        )
