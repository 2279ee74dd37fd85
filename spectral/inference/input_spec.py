"""What a network's channels are made of, as model.json holds it. S survey channels, L length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectral.configs.baseline import baseline_from
from spectral.configs.baseline_run import AnyRunConfig
from spectral.configs.inputs import channels, transforms
from spectral.configs.pretraining import PretrainingConfig
from spectral.data.dataset import Dataset
from spectral.errors import UserError
from spectral.inputs.augmentations import Augmentation
from spectral.inputs.inputs import Inputs

ROWS_AT_A_TIME = 1024  # of the training split


@dataclass
class InputSpec:
    """What the network's channels are made of, as typed configs.

    Args:
        num_channels: of the survey; the network's own number follows from `channels`.
        learned: what the transform must know of the training spectra, by the name of its argument.
        baseline: how it was taken off the spectra before, see `BaselineConfig.used`; empty: it was not.
        ivar_masks: whether pixels without inverse variance were masked, see `Survey`. It is not compared: the inputs of
            a run that did not keep it may be the same.
    """

    num_channels: int
    transform: Any
    channels: list[Any]
    masked_pixels: str
    learned: dict[str, Any] = field(default_factory=dict)
    baseline: dict[str, Any] = field(default_factory=dict)
    ivar_masks: bool | None = field(default=None, compare=False)

    @classmethod
    def describing(cls, config: AnyRunConfig | PretrainingConfig, dataset: Dataset) -> "InputSpec":
        inputs, builder = config.inputs, transforms.entry(config.transform.name).load()
        learned = builder.learn(_training_spectra(dataset))  # type: ignore[attr-defined]  # mypy knows only that it is a class
        survey = dataset.survey
        return cls(
            num_channels=survey.num_channels,
            transform=config.transform,
            channels=inputs.channels,
            masked_pixels=inputs.masked_pixels,
            learned=learned,
            baseline=dict(survey.baseline),
            ivar_masks=survey.ivar_masks,
        )

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "InputSpec":
        """Raises UserError for a part that this version does not have, or a transform without what it learned."""
        transform, learned = transforms.stored(stored["transform"], "inputs.transform"), stored["learned"]
        for name in transforms.entry(transform.name).load().learns:  # type: ignore[attr-defined]  # mypy knows only that it is a class
            if name not in learned:
                raise UserError(f"the run's model.json lacks inputs.learned.{name} of transform={transform.name}.")
        return cls(
            num_channels=stored["num_channels"],
            transform=transform,
            channels=[channels.stored(node, "inputs.channels") for node in stored["channels"]],
            masked_pixels=stored["masked_pixels"],
            learned=learned,
            baseline=baseline_from(stored["baseline"], "inputs.baseline").used,
            ivar_masks=stored["ivar_masks"],
        )

    def build(self, augmentations: Sequence[Augmentation] = ()) -> Inputs:
        transform = transforms.build(self.transform, **self.learned)
        built = [channels.build(channel) for channel in self.channels]
        return Inputs(self.num_channels, transform, built, self.masked_pixels, augmentations)


def _training_spectra(dataset: Dataset) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_] | None]]:
    """Flux [n, S, L] and mask [n, L] or None of the training split, some spectra at a time."""
    survey = dataset.survey
    for start in range(0, len(dataset.train), ROWS_AT_A_TIME):
        rows = dataset.train[start : start + ROWS_AT_A_TIME]
        yield survey.flux[rows], None if survey.mask is None else survey.mask[rows]
