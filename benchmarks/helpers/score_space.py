"""What all arms of time_to_score.py share: the search space and the job that a command is given. No package is needed.

K classes. Each arm writes the curve of a trial to `FOLDER/TRIAL/metrics.jsonl`, one row per epoch.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

OBJECTIVE = "val/macro_f1"
NUM_SLOTS = 2
WIDTHS = (4, 8, 12, 16)
DILATIONS = ((1, 1, 1), (1, 2, 4), (1, 3, 9), (2, 4, 8), (1, 4, 16))
LR = (1e-4, 3e-2)
DROPOUT = (0.0, 0.6)
U = (1e-9, 1.0)
LEAST_FRACTION = 0.02
# Asynchronous successive halving, in all arms that have it: rungs at epochs 3, 9, ...; one in three continues.
# A rung at the first epoch would judge 25 steps, mostly by chance.
MIN_EPOCHS, REDUCTION_FACTOR = 3, 3


@dataclass(frozen=True)
class Job:
    """What a command trains on and how long.

    Args:
        folder: of the trials.
        seed: of the sampler, of the split and of each training.
        flux: NPY of the survey, [N, 1, L].
        mask: NPY of its bad pixels, [N, L], or None.
        rows: NPZ with `labels` [N], and `train` and `validation`, which are survey rows.
        overrides: of the product, for all but the search space.
    """

    folder: str
    seed: int
    num_epochs: int
    num_steps: int
    batch_size: int
    max_length: int
    class_names: tuple[str, ...]
    flux: str
    mask: str | None
    rows: str
    overrides: tuple[str, ...]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Job":
        stored = json.loads(path.read_text())
        names, overrides = tuple(stored.pop("class_names")), tuple(stored.pop("overrides"))
        return cls(**stored, class_names=names, overrides=overrides)

    @property
    def u_names(self) -> list[str]:
        """The parameters that the fractions are made of."""
        return [f"u{i}" for i in range(len(self.class_names))]


def fractions(params: Mapping[str, Any], num_classes: int) -> list[float]:
    """Class fractions of a batch [K] from u0, u1, ..., as the product's simplex axis makes them of its parameters.

    p = m + (1 - K m) x / sum(x) with x = -log(u): uniform u give uniform fractions (Devroye 1986, theorem XI.4.1).
    """
    x = [-math.log(params[f"u{i}"]) for i in range(num_classes)]
    total = sum(x)
    free = [value / total for value in x] if total else [1 / num_classes] * num_classes
    return [LEAST_FRACTION + (1 - num_classes * LEAST_FRACTION) * share for share in free]


def product_axes(class_names: Sequence[str]) -> list[str]:
    """The space in the words of the product."""
    simplex = f"type:simplex,classes:[{','.join(class_names)}],minimum:{LEAST_FRACTION}"
    return [
        f"model.width=choice({_listed(WIDTHS)})",
        f"model.dilations=choice({_listed(map(_list, DILATIONS))})",
        f"optimizer.lr=tag(log,interval({LR[0]},{LR[1]}))",
        f"model.dropout=interval({DROPOUT[0]},{DROPOUT[1]})",
        f"+sweep.space={{sampler.fractions:{{{simplex}}}}}",
    ]


def hydra_axes(job: Job) -> list[str]:
    """The space in the words of hydra-optuna-sweeper, for naive_training.py."""
    return [
        f"width=choice({_listed(WIDTHS)})",
        f"dilations=choice({_listed(map(_list, DILATIONS))})",
        f"lr=tag(log,interval({LR[0]},{LR[1]}))",
        f"dropout=interval({DROPOUT[0]},{DROPOUT[1]})",
        *(f"+{name}=interval({U[0]},{U[1]})" for name in job.u_names),
    ]


def suggest(trial: Any, job: Job) -> dict[str, Any]:
    """Values of the space for an Optuna trial. Dilations are given by their place in DILATIONS."""
    return {
        "width": trial.suggest_categorical("width", WIDTHS),
        "dilations": trial.suggest_categorical("dilations", range(len(DILATIONS))),
        "lr": trial.suggest_float("lr", *LR, log=True),
        "dropout": trial.suggest_float("dropout", *DROPOUT),
        **{name: trial.suggest_float(name, *U) for name in job.u_names},
    }


def overrides(params: Mapping[str, Any], job: Job) -> list[str]:
    """The overrides of the product for such values."""
    shares = zip(job.class_names, fractions(params, len(job.class_names)), strict=True)
    return [
        f"model.width={params['width']}",
        f"model.dilations={_list(DILATIONS[params['dilations']])}",
        f"optimizer.lr={params['lr']}",
        f"model.dropout={params['dropout']}",
        f"sampler.fractions={{{','.join(f'{name}:{share:.9f}' for name, share in shares)}}}",
    ]


def _list(values: Sequence[int]) -> str:
    return f"[{_listed(values)}]"


def _listed(values: Any) -> str:
    return ",".join(map(str, values))
