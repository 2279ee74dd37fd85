"""The classical methods of `python -m spectral.baseline` and their options: `method=NAME`. See docs/baselines.md."""

from dataclasses import dataclass
from typing import Optional

from spectral.configs.fields import choice, number
from spectral.configs.registry import Registry

methods = Registry("method", contract="spectral.baselines.contract:Method")


@dataclass
class MethodConfig:
    """Options of all methods."""

    name: str = ""
    class_weight: str = choice("balanced", "balanced", "none")  # balanced: every class weighs the same in training


@methods.register("spectral.baselines.pls_da:PLSDA")
@dataclass
class PLSDAConfig(MethodConfig):
    """Partial least squares, then linear discriminant analysis of its scores."""

    name: str = "pls_da"
    num_components: Optional[int] = number(None, at_least=1)  # null: by cross-validation of the training part
    max_components: int = number(20, at_least=1)  # the most that the cross-validation tries
    autoscale: bool = True  # divide each pixel by its standard deviation over the training spectra


@methods.register("spectral.baselines.forest:RandomForest")
@dataclass
class RandomForestConfig(MethodConfig):
    """Random forest on the pixels."""

    name: str = "random_forest"
    num_trees: int = number(300, at_least=1)  # in the forest
    min_leaf: int = number(1, at_least=1)  # training spectra in a leaf


@methods.register("spectral.baselines.boosting:Boosting")
@dataclass
class BoostingConfig(MethodConfig):
    """Principal components, then gradient boosting of trees on histograms."""

    name: str = "boosting"
    num_components: int = number(60, at_least=1)  # principal components
    max_iter: int = number(200, at_least=1)  # trees for each class
    learning_rate: float = number(0.1, above=0)  # the share of each tree's correction that is taken
    min_leaf: int = number(20, at_least=1)  # training spectra in a leaf


@dataclass
class LinearConfig(MethodConfig):
    """Options of the methods that end in logistic regression."""

    penalty: float = number(0.01, above=0)  # of squared weights, next to the mean log loss of a training spectrum
    max_iter: int = number(200, at_least=1)  # of the logistic regression


@methods.register("spectral.baselines.rocket:MiniRocket")
@dataclass
class MiniRocketConfig(LinearConfig):
    """MiniRocket's features of fixed convolutions, then logistic regression."""

    name: str = "minirocket"
    num_kernels: int = number(10_000, at_least=84)  # features


@methods.register("spectral.baselines.rocket:MultiRocketHydra")
@dataclass
class MultiRocketHydraConfig(LinearConfig):
    """The features of MultiRocket and of Hydra, then logistic regression."""

    name: str = "multirocket_hydra"
    num_kernels: int = number(6_250, at_least=84)  # of MultiRocket: each gives eight features
    num_groups: int = number(64, at_least=2)  # of Hydra's kernels, for each dilation
    group_size: int = number(8, at_least=1)  # kernels of a group


@methods.register("spectral.baselines.quant:Quant")
@dataclass
class QuantConfig(MethodConfig):
    """QUANT's quantiles of intervals, then extremely randomized trees."""

    name: str = "quant"
    depth: int = number(6, at_least=1)  # intervals are halved this often, the whole spectrum counted
    divisor: int = number(4, at_least=1)  # pixels of an interval for each quantile
    num_trees: int = number(200, at_least=1)  # in the forest
    max_features: Optional[float] = number(0.1, above=0, at_most=1)  # share of them for each split; null: the root
