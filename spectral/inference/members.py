"""The members of an ensemble, as its model.json holds them. K classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spectral.configs.models import models
from spectral.errors import UserError


@dataclass
class EnsembleModel:
    """What stands for the network's config of an ensemble, which no command can ask to train."""

    name: str = "ensemble"


@dataclass
class Member:
    """One network of an ensemble.

    Args:
        model: typed config of the network.
        weight: of its probabilities, positive.
        output_prior: [K], the class priors at which its own probabilities stand.
        inputs: which of the ensemble's inputs it takes, from 0.
        run: the folder that it came from, which need not be there any more.
        weights: the BLAKE2b digest of the weights file there.
    """

    model: Any
    weight: float
    output_prior: list[float]
    inputs: int = 0
    run: str = ""
    weights: str = ""

    @classmethod
    def read(cls, stored: Mapping[str, Any], key: str) -> "Member":
        """Raises UserError for a network that this version does not have."""
        return cls(**{**stored, "model": models.stored(stored["model"], f"{key}.model")})

    def log_prior_ratio(self, common: Sequence[float]) -> list[float]:
        """What brings its logits to the common class priors [K]."""
        return log_prior_ratio(self.output_prior, common, f"the member {self.run}")


def log_prior_ratio(own: Sequence[float], common: Sequence[float], name: str) -> list[float]:
    """log of the common class priors over a network's own [K].

    Raises:
        UserError: a class of which the network has never seen a spectrum, and the common priors have some.
    """
    mine, theirs = np.asarray(own, dtype=np.float64), np.asarray(common, dtype=np.float64)
    same = mine == theirs
    if ((mine <= 0) & ~same).any() or ((theirs <= 0) & ~same).any():
        missing = np.flatnonzero(((mine <= 0) | (theirs <= 0)) & ~same)[0]
        raise UserError(
            f"{name} cannot be brought to the class priors of the others: it was trained without class index "
            f"{missing}, or they were."
        )
    logs = np.log(np.where(same, 1.0, theirs)) - np.log(np.where(same, 1.0, mine))
    return [float(value) for value in logs]
