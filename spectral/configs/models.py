"""The networks and their options."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Optional

from spectral.configs.fields import choice, number, numbers
from spectral.configs.registry import Registry
from spectral.errors import UserError

models = Registry("model")


def runs_natively(model: Any) -> bool:
    """Whether the network of a typed config has blocks for kernel=native; its class says so by `runs_natively`.

    It imports the network.
    """
    asked = getattr(models.entry(model.name).load(), "runs_natively", None)
    options = {field.name: getattr(model, field.name) for field in dataclasses.fields(model) if field.name != "name"}
    return asked is not None and bool(asked(**options))


@models.register("spectral.models.reference:ReferenceNetwork")
@dataclass
class ReferenceConfig:
    """See spectral/models/reference.py for each option."""

    name: str = "reference"
    width: int = number(16, at_least=1)
    num_blocks: int = number(8, at_least=1)  # with pooling by two between them
    widths: Optional[list[int]] = numbers(None, at_least=1)
    dilations: list[int] = numbers([1, 2, 4], at_least=1)
    kernel_sizes: list[int] = numbers([3], at_least=1)
    norm: str = choice("none", "none", "batch", "layer", "group")  # between convolution and ReLU
    pooling: str = choice("max", "max", "average")  # by two, between the blocks
    max_length: Optional[int] = number(None, at_least=1)
    min_length: int = number(8, at_least=1)
    residual: str = choice("add", "add", "scaled", "none")  # the shortcut; scaled: by a learned factor
    squeeze_excite: int = number(0, at_least=0)
    dropout: float = number(0.5, at_least=0, below=1)  # rate before the head
    dropout_kind: str = choice("timestep", "timestep", "element", "channel")  # what is dropped at once
    head: str = choice("max", "max", "average", "max_average", "attention", "flatten")  # positions to one vector
    head_width: int = number(128, at_least=0)

    def check(self, key: str) -> None:
        narrowest = min(self.widths or [self.width])
        if len(self.kernel_sizes) > 2 * narrowest:
            raise UserError(
                f"{key}.kernel_sizes={self.kernel_sizes} is too long: the kernels share twice the width of a block, "
                f"and the narrowest has width {narrowest}."
            )


@models.register("spectral.models.fcn:FCN")
@dataclass
class FCNConfig:
    """See spectral/models/fcn.py for each option."""

    name: str = "fcn"
    widths: list[int] = numbers([128, 256, 128], at_least=1)
    kernel_sizes: list[int] = numbers([8, 5, 3], at_least=1)
    dropout: float = number(0.0, at_least=0, below=1)

    def check(self, key: str) -> None:
        if len(self.widths) != len(self.kernel_sizes):
            raise UserError(
                f"{key}.widths={self.widths} and {key}.kernel_sizes={self.kernel_sizes} differ in length: "
                "each convolution needs one of both."
            )


@models.register("spectral.models.resnet1d:ResNet1d")
@dataclass
class ResNet1dConfig:
    """See spectral/models/resnet1d.py for each option."""

    name: str = "resnet1d"
    widths: list[int] = numbers([64, 128, 128], at_least=1)
    kernel_sizes: list[int] = numbers([8, 5, 3], at_least=1)
    dropout: float = number(0.0, at_least=0, below=1)


@models.register("spectral.models.inception_time:InceptionTime")
@dataclass
class InceptionTimeConfig:
    """See spectral/models/inception_time.py for each option."""

    name: str = "inception_time"
    num_filters: int = number(32, at_least=1)
    depth: int = number(6, at_least=1)
    kernel_sizes: list[int] = numbers([10, 20, 40], at_least=1)
    bottleneck: int = number(32, at_least=0)
    residual: bool = True  # whether there are shortcuts
    dropout: float = number(0.0, at_least=0, below=1)


@models.register("spectral.models.lite_time:LiteTime")
@dataclass
class LiteTimeConfig:
    """See spectral/models/lite_time.py for each option."""

    name: str = "lite_time"
    num_filters: int = number(32, at_least=1)
    kernel_size: int = number(40, at_least=4)
    dropout: float = number(0.0, at_least=0, below=1)
