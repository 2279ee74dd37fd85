"""Optimizers by name."""

from dataclasses import dataclass

from spectral.configs.fields import number
from spectral.configs.registry import Registry
from spectral.errors import UserError

optimizers = Registry("optimizer")


@optimizers.register("spectral.training.optimizers:adam")
@dataclass
class AdamConfig:
    """Adam (Kingma and Ba 2015). Keras's default eps is 1e-7, PyTorch's 1e-8."""

    name: str = "adam"
    lr: float = number(5e-3, above=0)  # learning rate
    beta1: float = number(0.9, at_least=0, below=1)  # decay of the mean of the gradient
    beta2: float = number(0.999, at_least=0, below=1)  # decay of the mean of its square
    eps: float = number(1e-7, above=0)  # added to the root of that square


@optimizers.register("spectral.training.optimizers:adamw")
@dataclass
class AdamWConfig:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: str = "adamw"
    lr: float = number(1e-3, above=0)  # learning rate
    beta1: float = number(0.9, at_least=0, below=1)  # decay of the mean of the gradient
    beta2: float = number(0.999, at_least=0, below=1)  # decay of the mean of its square
    eps: float = number(1e-8, above=0)  # added to the root of that square
    weight_decay: float = number(0.01, at_least=0)  # share of the weights, times lr, taken off per step


@optimizers.register("spectral.training.optimizers:sgd")
@dataclass
class SGDConfig:
    """Stochastic gradient descent with momentum."""

    name: str = "sgd"
    lr: float = number(0.01, above=0)  # learning rate
    momentum: float = number(0.9, at_least=0, below=1)  # share of the last step in the next
    nesterov: bool = True  # whether the momentum looks one step ahead
    weight_decay: float = number(0.0, at_least=0)  # an L2 penalty on the weights

    def check(self, key: str) -> None:
        if self.nesterov and self.momentum == 0:
            raise UserError(f"{key}.nesterov=true needs {key}.momentum above 0, which is {self.momentum}.")
