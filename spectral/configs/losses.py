"""The losses a stage can train on: `loss=NAME`."""

from dataclasses import dataclass
from typing import Any

from spectral.configs.fields import choice, number, numbers_by_class, written
from spectral.configs.registry import Registry
from spectral.errors import UserError

losses = Registry("loss", contract="spectral.losses.contract:Loss")


def _check_weights(weights: Any, balanced: bool, key: str) -> None:
    if weights is not None and balanced:
        raise UserError(
            f"{key}.weights={written(weights)} and {key}.balanced=true exclude one another: give one of the two."
        )


@losses.register("spectral.losses.cross_entropy:CrossEntropy")
@dataclass
class CrossEntropyConfig:
    name: str = "cross_entropy"
    weights: Any = numbers_by_class(None, above=0)  # of each class in the loss; null: equal ones
    balanced: bool = False  # true: weights that make the classes count alike
    label_smoothing: float = number(0.0, at_least=0, below=1)  # share of a label that goes to all classes alike

    def check(self, key: str) -> None:
        _check_weights(self.weights, self.balanced, key)


@losses.register("spectral.losses.focal:Focal")
@dataclass
class FocalConfig:
    name: str = "focal"
    gamma: float = number(2.0, at_least=0)  # the higher, the less an easy spectrum counts; 0: cross-entropy
    weights: Any = numbers_by_class(None, above=0)  # of each class in the loss; null: equal ones
    balanced: bool = False  # true: weights that make the classes count alike

    def check(self, key: str) -> None:
        _check_weights(self.weights, self.balanced, key)


@losses.register("spectral.losses.logit_adjusted:LogitAdjusted")
@dataclass
class LogitAdjustedConfig:
    name: str = "logit_adjusted"
    tau: float = number(1.0, at_least=0)  # strength of the shift; 0: cross-entropy


@losses.register("spectral.losses.logit_adjusted:BalancedSoftmax")
@dataclass
class BalancedSoftmaxConfig:
    name: str = "balanced_softmax"


@losses.register("spectral.losses.soft_f1:SoftF1")
@dataclass
class SoftF1Config:
    name: str = "soft_f1"
    form: str = choice("log_of_mean", "log_of_mean", "mean_of_logs")
    prior_weighted: bool = False
    eps: float = number(1e-7, above=0, at_most=1e-2)  # keeps divisions and logarithms finite
