"""The networks and their options."""

from dataclasses import dataclass
from typing import Optional

from spectral.configs.fields import choice, number, numbers
from spectral.registry import Registry

models = Registry("model")


@models.register("spectral.models.reference:ReferenceNetwork")
@dataclass
class ReferenceConfig:
    name: str = "reference"
    width: int = number(16, at_least=1)
    num_blocks: int = number(8, at_least=1)
    widths: Optional[list[int]] = numbers(None, at_least=1)
    dilations: list[int] = numbers([1, 2, 4], at_least=1)
    kernel_sizes: list[int] = numbers([3], at_least=1)
    norm: str = choice("none", "none", "batch", "layer", "group")
    pooling: str = choice("max", "max", "average")
    min_length: int = number(8, at_least=1)
    residual: str = choice("add", "add", "scaled", "none")
    squeeze_excite: int = number(0, at_least=0)
    dropout: float = number(0.5, at_least=0, below=1)
    dropout_kind: str = choice("timestep", "timestep", "element", "channel")
    head: str = choice("max", "max", "average", "max_average", "attention", "flatten")
    head_width: int = number(128, at_least=0)
