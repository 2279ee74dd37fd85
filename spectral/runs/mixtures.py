"""Whether a network was trained on mixtures of classes, after which its probabilities are too small.

Moved to other class shares such probabilities are wrong: docs/metrics.md#prior-correction. K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spectral.runs.folder import RunFolder

MIXED = "trained_on_mixtures"  # of a member in the result.json of an ensemble, and of the metadata of an ONNX file
SLIGHT = 0.1  # by this part of itself a class share may change: those of folds differ by a few spectra


def trained_on_mixtures(folder: RunFolder) -> bool:
    """Whether spectra of different classes were mixed in the training of a run, or of any member of an ensemble.

    Of an ensemble that an earlier version made only the config is known, which is that of its first candidate.
    """
    made = (folder.load_result() or {}).get("ensemble")
    members = made.get("members") if isinstance(made, Mapping) else None
    known = [member[MIXED] for member in members or [] if isinstance(member, Mapping) and MIXED in member]
    return any(known) if known else mixes_classes(folder.load_config())


def mixes_classes(config: Mapping[str, Any]) -> bool:
    """Whether a run with this config mixes spectra of different classes."""
    schedule = config.get("schedule") or {}
    return schedule.get("mixup_alpha") is not None and schedule.get("mixup_classes") != "within"


def are_moved(own: Sequence[float], others: Sequence[float]) -> bool:
    """Whether probabilities at some class shares [K] are moved if they are brought to others [K]."""
    return not np.allclose(own, others, rtol=SLIGHT, atol=0)
