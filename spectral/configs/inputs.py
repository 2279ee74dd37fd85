"""What is done to each spectrum before the network sees it: `transform=NAME`."""

from dataclasses import dataclass
from typing import Optional

from spectral.configs.fields import number
from spectral.configs.registry import Registry

transforms = Registry("transform")


@dataclass
class TransformConfig:
    """Options of all transforms."""

    name: str = ""
    clip: Optional[float] = number(None, above=0)  # limit of the absolute value after scaling; null: none


@transforms.register("spectral.inputs.transforms:Scale")
@dataclass
class ScaleConfig(TransformConfig):
    """Divide by a constant: the flux scale stays visible."""

    name: str = "scale"
    factor: float = number(100.0, above=0)


@transforms.register("spectral.inputs.transforms:Standardize")
@dataclass
class StandardizeConfig(TransformConfig):
    """Zero mean and unit variance of each spectrum and channel."""

    name: str = "standardize"


@transforms.register("spectral.inputs.transforms:Median")
@dataclass
class MedianConfig(TransformConfig):
    """Divide each spectrum and channel by its median absolute flux, which lines and cosmic rays hardly move."""

    name: str = "median"


@transforms.register("spectral.inputs.transforms:L2")
@dataclass
class L2Config(TransformConfig):
    """Divide each spectrum and channel by its Euclidean norm."""

    name: str = "l2"


@transforms.register("spectral.inputs.transforms:Unchanged")
@dataclass
class UnchangedConfig(TransformConfig):
    """Only masked pixels are set to 0."""

    name: str = "none"
