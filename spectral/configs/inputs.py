"""What a network is given: how each spectrum is scaled, `transform=NAME`, and the channels made of it, `inputs.*`."""

from dataclasses import dataclass, field
from typing import Any, Optional

from spectral.configs.fields import choice, number
from spectral.configs.registry import Registry
from spectral.errors import UserError

transforms = Registry("transform")
channels = Registry("channel")
augmentations = Registry("augmentation")


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
    factor: float = number(100.0, above=0)  # what the flux is divided by


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
    centered: bool = False  # whether the median flux is subtracted first


@transforms.register("spectral.inputs.transforms:L2")
@dataclass
class L2Config(TransformConfig):
    """Divide each spectrum and channel by its Euclidean norm."""

    name: str = "l2"


@transforms.register("spectral.inputs.transforms:SNV")
@dataclass
class SNVConfig(TransformConfig):
    """Standard normal variate: as standardize, with Bessel's correction."""

    name: str = "snv"


@transforms.register("spectral.inputs.transforms:RobustZ")
@dataclass
class RobustZConfig(TransformConfig):
    """Median and 1.4826 times the median absolute deviation in place of mean and standard deviation."""

    name: str = "robust_z"


@transforms.register("spectral.inputs.transforms:Continuum")
@dataclass
class ContinuumConfig(TransformConfig):
    """Divide by the continuum: a line through the medians of blocks of pixels."""

    name: str = "continuum"
    block_pixels: int = number(100, at_least=2)  # wider than the lines that are to stay


@transforms.register("spectral.inputs.msc:MSC")
@dataclass
class MSCConfig(TransformConfig):
    """Multiplicative scatter correction against the mean of the training spectra."""

    name: str = "msc"


@dataclass
class PolynomialConfig:
    """Options of polynomials fitted around each pixel."""

    window_pixels: int = number(11, at_least=3)  # odd
    order: int = number(2, at_least=0)  # of the polynomial, below the window
    derivative: int = number(1, at_least=0)  # 0: the smoothed flux; at most the order

    def check(self, key: str) -> None:
        if self.window_pixels % 2 == 0:
            raise UserError(f"{key}.window_pixels={self.window_pixels} must be odd: it has a pixel in its middle.")
        if not self.derivative <= self.order < self.window_pixels:
            raise UserError(
                f"{key}.order={self.order} must be at least the derivative, {self.derivative}, and below the window, "
                f"{self.window_pixels}."
            )


@transforms.register("spectral.inputs.savgol:SavitzkyGolayScale")
@dataclass
class SavitzkyGolayConfig(PolynomialConfig, TransformConfig):
    """Smooth, or take a derivative, by polynomials fitted around each pixel; then standardize."""

    name: str = "savgol"


@transforms.register("spectral.inputs.transforms:Unchanged")
@dataclass
class UnchangedConfig(TransformConfig):
    """Flux as it was measured."""

    name: str = "none"


@channels.register("spectral.inputs.channels:Flux")
@dataclass
class FluxChannelConfig:
    """The scaled flux."""

    name: str = "flux"


@channels.register("spectral.inputs.channels:Mask")
@dataclass
class MaskChannelConfig:
    """1 if a bad pixel was interpolated, else 0."""

    name: str = "mask"


@channels.register("spectral.inputs.channels:Derivative")
@dataclass
class DerivativeChannelConfig:
    """The change of the scaled flux per pixel."""

    name: str = "derivative"


@channels.register("spectral.inputs.channels:SignalToNoise")
@dataclass
class SignalToNoiseChannelConfig:
    """arcsinh of flux over its error."""

    name: str = "snr"


@channels.register("spectral.inputs.channels:LogIvar")
@dataclass
class LogIvarChannelConfig:
    """ln of the inverse variance over its median."""

    name: str = "log_ivar"


@channels.register("spectral.inputs.channels:ContinuumLevel")
@dataclass
class ContinuumChannelConfig:
    """The continuum of the scaled flux."""

    name: str = "continuum"
    block_pixels: int = number(100, at_least=2)  # wider than the lines that are to stay


@channels.register("spectral.inputs.channels:SavitzkyGolay")
@dataclass
class SavitzkyGolayChannelConfig(PolynomialConfig):
    """The scaled flux, smoothed, or its derivative, by polynomials fitted around each pixel."""

    name: str = "savgol"


@augmentations.register("spectral.inputs.augmentations:Shift")
@dataclass
class ShiftConfig:
    """Move each spectrum by a random whole number of pixels."""

    name: str = "shift"
    max_pixels: int = number(10, at_least=1)  # either way


@augmentations.register("spectral.inputs.augmentations:Crop")
@dataclass
class CropConfig:
    """Keep a random part of each spectrum; the network does not see the rest."""

    name: str = "crop"
    min_share: float = number(0.8, above=0, below=1)  # of the pixels that stay at least


@augmentations.register("spectral.inputs.augmentations:Noise")
@dataclass
class NoiseConfig:
    """Add normal noise, in units of the spectrum's own error."""

    name: str = "noise"
    max_sigma: float = number(0.5, above=0)  # each spectrum's is drawn between 0 and this
    error: str = choice("flux", "flux", "ivar")  # where the error is taken from; ivar: of each pixel


@augmentations.register("spectral.inputs.augmentations:Gain")
@dataclass
class GainConfig:
    """Multiply each spectrum by a number near 1."""

    name: str = "gain"
    max_change: float = number(0.1, above=0, below=1)  # either way


@augmentations.register("spectral.inputs.augmentations:Calibration")
@dataclass
class CalibrationConfig:
    """Multiply each spectrum by a smooth curve, as errors of flux calibration and dust do."""

    name: str = "calibration"
    sigma: float = number(0.05, above=0)  # standard deviation of the factor of each polynomial
    degree: int = number(4, at_least=1, at_most=50)  # of the polynomials


@augmentations.register("spectral.inputs.augmentations:Redshift")
@dataclass
class RedshiftConfig:
    """Stretch the wavelengths of each spectrum, or of those of some classes."""

    name: str = "redshift"
    max_redshift: float = number(0.05, above=0, below=1)  # either way
    classes: Optional[list[str]] = None  # names of the classes it acts on; null: all

    def check(self, key: str) -> None:
        if self.classes is not None and not self.classes:
            raise UserError(f"{key}.classes=[] names no class: give some, null for all, or leave redshift out.")


@dataclass
class InputsConfig:
    """The network's channels, in order, what stands in masked pixels inside a spectrum, and what training changes."""

    channels: list[Any] = field(default_factory=lambda: ["flux"])  # names, or mappings with a name and options
    masked_pixels: str = choice("interpolate", "interpolate", "zero")  # what stands in bad pixels inside a spectrum
    augmentations: list[Any] = field(default_factory=list)  # names, or mappings with a name and options; in training

    def check(self, key: str) -> None:
        """Type channels and augmentations.

        Raises:
            UserError: one is not known or stands twice, or there is no channel.
        """
        if not self.channels:
            raise UserError(f"{key}.channels=[] is empty: a network needs at least one channel, such as [flux].")
        self.channels = [channels.typed(node, f"{key}.channels[{i}]") for i, node in enumerate(self.channels)]
        if any(channel in self.channels[:i] for i, channel in enumerate(self.channels)):
            names = ",".join(channel.name for channel in self.channels)
            raise UserError(f"{key}.channels=[{names}] names a channel twice: give each once, or with other options.")
        given = [augmentations.typed(node, f"{key}.augmentations[{i}]") for i, node in enumerate(self.augmentations)]
        if any(one.name in [other.name for other in given[:i]] for i, one in enumerate(given)):
            names = ",".join(one.name for one in given)
            raise UserError(f"{key}.augmentations=[{names}] names an augmentation twice: give each once.")
        self.augmentations = given
