"""What the best run's network looked at, computed from its weights: the only part of the report that needs torch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps.results.run import Run

Saliency = NDArray[np.floating[Any]]


def saliency_of(run: Run, rows: NDArray[np.int64], class_names: list[str]) -> Saliency | str:
    """Gradient times input [n, C, L] of survey rows [n] for the logits of class_names [n], or why there is none."""
    from spectral.errors import UserError
    from spectral.inference.saliency import run_saliency

    assert run.survey is not None
    try:
        return run_saliency(run.path, run.survey, rows, class_names)
    except UserError as error:
        return str(error)
