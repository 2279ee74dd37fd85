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
    lr: float = number(3e-3, above=0)
    beta1: float = number(0.9, at_least=0, below=1)
    beta2: float = number(0.999, at_least=0, below=1)
    eps: float = number(1e-7, above=0)


@optimizers.register("spectral.training.optimizers:adamw")
@dataclass
class AdamWConfig:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    name: str = "adamw"
    lr: float = number(1e-3, above=0)
    beta1: float = number(0.9, at_least=0, below=1)
    beta2: float = number(0.999, at_least=0, below=1)
    eps: float = number(1e-8, above=0)
    weight_decay: float = number(0.01, at_least=0)


@optimizers.register("spectral.training.optimizers:sgd")
@dataclass
class SGDConfig:
    """Stochastic gradient descent with momentum."""

    name: str = "sgd"
    lr: float = number(0.1, above=0)
    momentum: float = number(0.9, at_least=0, below=1)
    nesterov: bool = True
    weight_decay: float = number(0.0, at_least=0)

    def check(self, key: str) -> None:
        if self.nesterov and self.momentum == 0:
            raise UserError(f"{key}.nesterov=true needs {key}.momentum above 0, which is {self.momentum}.")
