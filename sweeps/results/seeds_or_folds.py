"""What the runs of a trial are: seeds, or folds of a cross-validation."""

from collections.abc import Mapping, Sequence
from typing import Literal

from sweeps.config import FOLD
from sweeps.errors import user_error_type
from sweeps.results.out_of_fold import KFOLD
from sweeps.results.run import Run

Replicate = Literal["seed", "fold"]


def replicate_of(seed_key: str | None) -> Replicate:
    """What one run of a trial is in a search with this `sweep.seed_key`."""
    return "fold" if seed_key == FOLD else "seed"


def replicate(runs: Sequence[Run]) -> Replicate:
    """What one of several runs of a trial is. Runs with different seeds that share a fold are seeds."""
    folds = [fold for run in runs if (fold := _fold(run)) is not None]
    return "fold" if folds and len(set(folds)) == len(folds) else "seed"


def _fold(run: Run) -> object:
    """The fold that a run validates on; None if it has none, or if its config cannot be read."""
    try:
        split = run.config.get("split")
    except user_error_type():
        return None
    return split.get("fold") if isinstance(split, Mapping) and split.get("name") == KFOLD else None
