"""Spectra with fewer pixels than the network needs: pooling leaves nothing of them. n spectra, C channels, l pixels."""

import logging
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from torch import nn

from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inputs.augmentations import Crop
from spectral.inputs.batches import Rows
from spectral.survey import Survey

log = logging.getLogger(__name__)

MOST_LOOKED_AT = 8192  # spectra: reading all masks of a large survey would take longer than the start of a run


def min_pixels_of(network: nn.Module) -> int:
    """The fewest pixels, from the first to the last good one, that a network needs; 1 if it does not say."""
    return int(getattr(network, "min_pixels", 1))


def too_short(
    classifier: Classifier, needed: int, shape: tuple[int, ...], mask: NDArray[np.bool_] | None
) -> dict[int, str]:
    """Position of each spectrum that is too short for the network -> why it cannot be classified.

    Args:
        needed: pixels, by `min_pixels_of` its network.
        shape: of the flux, [n, C, l].
        mask: [n, l], True = bad pixel or padding; None if no pixel is. Each spectrum has a good pixel.
    """
    if needed == 1:
        return {}
    bad = np.broadcast_to(False, (shape[0], shape[2])) if mask is None else mask
    num_pixels = bad.shape[1] - bad[:, ::-1].argmin(axis=1)
    if classifier.inputs.masked_pixels != "zero":  # which leaves masked pixels at the blue end in the spectrum
        num_pixels -= bad.argmin(axis=1)
    reason = f"too short for the network: it needs {needed} pixels that are not padding, and the spectrum has"
    return {row: f"{reason} {num_pixels[row]}" for row in np.flatnonzero(num_pixels < needed).tolist()}


def warn_of_too_short(classifier: Classifier, needed: int, survey: Survey, rows: Rows) -> None:
    """Log how many of the survey's rows [n] are too short for the network, if any are; of many, some are looked at.

    Args:
        needed: pixels, by `min_pixels_of` its network.
    """
    if needed == 1:
        return  # without reading the masks
    looked_at = rows[:: -(-len(rows) // MOST_LOOKED_AT) or 1]
    mask = None if survey.mask is None else np.take(survey.mask, looked_at, axis=0)
    num = len(too_short(classifier, needed, (len(looked_at), *survey.flux.shape[1:]), mask))
    if num:
        log.warning(
            "%s of the %s spectra that were looked at have fewer than %s pixels that are not padding: the network "
            "needs these, and sees nothing of a shorter spectrum.",
            f"{num:,}",
            f"{len(looked_at):,}",
            needed,
        )


def check_crops(augmentations: Iterable[nn.Module], needed: int, length: int) -> None:
    """Raise UserError if a crop may leave too few pixels of every spectrum for the network.

    Args:
        needed: pixels, by `min_pixels_of` its network.
        length: pixels of the longest spectrum.
    """
    for crop in augmentations:
        if isinstance(crop, Crop) and (kept := crop.min_kept(length)) < needed:
            raise UserError(
                f"inputs.augmentations: crop has min_share={crop.min_share:g}, which may leave {kept} of {length} "
                f"pixels, and the network needs {needed}: give a larger share, or leave crop out."
            )
