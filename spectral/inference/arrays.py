"""Spectra that a caller has in memory, as the survey that a run is applied to.

n spectra, C channels, L pixels of the run's spectra, l of the caller's.
"""

import logging
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from spectral.configs.baseline import baseline_from
from spectral.data.ivar import float32_ivar
from spectral.data.packing.baseline import check_pybaselines, remove_baselines
from spectral.data.packing.row_checks import Rules, check_rows
from spectral.data.readers.contract import Chunk
from spectral.data.resampling import Resampler, is_monotonic
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.too_short import too_short
from spectral.inference.wavelengths import begins_as, check_same_pixels
from spectral.survey import Survey

log = logging.getLogger(__name__)


def survey_of_arrays(
    classifier: Classifier,
    run: str,
    flux: ArrayLike,
    ivar: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    wave: ArrayLike | None = None,
    min_pixels: int = 1,
) -> Survey:
    """A survey in memory, each spectrum of which has passed the rules of packing.

    Args:
        run: the run, as the sentences name it.
        flux: [n, C, l], [n, l] or [l]. What a masked array hides, here or in ivar, is bad.
        ivar: of the flux's shape.
        mask: [n, l] or [l].
        wave: Angstrom, [l] or [n, l]; other wavelengths than the run's are resampled to those.
        min_pixels: the fewest pixels, from the first to the last good one, that the network needs.

    Raises:
        ValueError: a shape is wrong, or a spectrum cannot be classified.
        UserError: the run needs inverse variances, or it is not known which of its pixels these are.
    """
    spectra = _numbers(flux, "flux")
    num_channels, length = classifier.inputs.num_channels, classifier.length
    shape = spectra.shape
    spectra = _three_axes(spectra, num_channels, run)
    num, _, own_length = spectra.shape
    variances = None if ivar is None else _of_shape(_numbers(ivar, "ivar"), shape, "ivar").reshape(spectra.shape)
    bad = None if mask is None else _mask(mask, num, own_length, is_one=len(shape) == 1)
    for values in (flux, ivar):
        if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
            hidden = np.ma.getmaskarray(values).reshape(spectra.shape).any(axis=1)
            bad = np.asarray(hidden if bad is None else bad | hidden)
    grid = None if wave is None else _wave(wave, num, own_length)
    masks = classifier.inputs.ivar_masks is not False
    rules = Rules("float32", "error", "pad", num_channels, length, None, ivar_masks=masks)
    chunk = Chunk([*spectra], None if variances is None else [*variances], None if bad is None else [*bad])
    if grid is not None:
        grid = _on_grid(chunk, grid, classifier, run)
    if classifier.inputs.baseline:
        baseline = baseline_from(classifier.inputs.baseline, "inputs.baseline")
        check_pybaselines(baseline)
        remove_baselines(chunk, baseline)
    checked = check_rows(chunk, rules)
    for row, reason in checked.problems.items():
        raise ValueError(f"spectrum {row} cannot be classified: {reason}.")
    arrays: dict[str, Any] = {"flux": np.zeros((0, num_channels, length), np.float32)} | checked.arrays
    survey = Survey(
        flux=arrays["flux"],
        catalog=pd.DataFrame(index=range(num)),
        class_names=tuple(classifier.class_names),
        ivar=arrays.get("ivar"),
        mask=arrays.get("mask"),
        wave_angstrom=grid,
    )
    if survey.length > length:
        raise ValueError(f"flux has {survey.length} pixels per spectrum, {run} was trained on {length}.")
    for row, reason in too_short(classifier, min_pixels, survey.flux.shape, survey.mask).items():
        raise ValueError(f"spectrum {row} cannot be classified: {reason}.")
    doubt = check_same_pixels(classifier, survey, run)
    if survey.length < length:  # of spectra as long as the run's, no wavelengths mean the same ones
        log.warning(doubt)
    return survey


def _numbers(values: ArrayLike, name: str) -> NDArray[np.float32]:
    array = _array(values, name)
    with np.errstate(over="ignore"):  # what float32 cannot hold is not finite, and the row checks report it
        return float32_ivar(array) if name == "ivar" else np.asarray(array, dtype=np.float32)


def _array(values: ArrayLike, name: str) -> NDArray[Any]:
    if isinstance(values, (list, tuple)) and any(np.ma.is_masked(part) for part in values):
        raise ValueError(f"{name} is a list of masked arrays, whose masks would be lost: stack them by np.ma.stack.")
    try:
        if isinstance(values, torch.Tensor):  # NumPy takes none with a gradient, elsewhere, or of bfloat16
            values = values.detach().cpu()
            values = (values.float() if values.dtype == torch.bfloat16 else values).numpy()
        array = np.asarray(values)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"its type is {array.dtype}")
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is not an array of numbers: {error}.") from error
    return array


def _three_axes(flux: NDArray[np.float32], num_channels: int, run: str) -> NDArray[np.float32]:
    """[n, C, l] of [n, C, l], [n, l] or [l]."""
    shape = list(flux.shape)
    if flux.ndim not in (1, 2, 3) or flux.shape[-1] == 0:
        raise ValueError(f"flux has shape {shape}: give [n, l], [n, C, l], or [l] for one spectrum.")
    flux = flux.reshape(-1, 1, flux.shape[-1]) if flux.ndim < 3 else flux
    if flux.shape[1] != num_channels:
        raise ValueError(f"flux of shape {shape} has {flux.shape[1]} channels, {run} needs {num_channels}.")
    return flux


def _of_shape(array: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[Any]:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {list(array.shape)}, the flux asks for {list(shape)}.")
    return array


def _mask(mask: ArrayLike, num: int, length: int, *, is_one: bool) -> NDArray[np.bool_]:
    array = _numbers(mask, "mask")
    array = _of_shape(array, (length,) if is_one else (num, length), "mask")
    return np.asarray(array.reshape(num, length) != 0)


def _wave(wave: ArrayLike, num: int, length: int) -> NDArray[np.float64]:
    """[l], or [n, l] for wavelengths of each spectrum."""
    if np.ma.is_masked(wave):
        raise ValueError("wave is a masked array that hides some: give the wavelength of each pixel, and mask=.")
    array = _array(wave, "wave").astype(np.float64)
    if array.shape not in ((length,), (num, length)):
        raise ValueError(
            f"wave has shape {list(array.shape)}, the flux asks for [{length}], or for [{num}, {length}] if each "
            "spectrum has its own."
        )
    return array


def _on_grid(chunk: Chunk, wave: NDArray[np.float64], classifier: Classifier, run: str) -> NDArray[np.float64]:
    """Resample the chunk in place unless its pixels are the run's; the wavelengths that it then has.

    Raises:
        UserError: the run has no wavelengths, or they neither rise nor fall.
        ValueError: a spectrum lies outside the run's wavelengths, or its own neither rise nor fall.
    """
    own = classifier.wave_angstrom
    if own is None:
        raise UserError(f"wave is given and {run} has no wavelengths to compare it with: leave wave out.")
    if wave.ndim == 1 and begins_as(own, wave):
        return wave
    if not is_monotonic(own):
        raise UserError(f"wave is given and the wavelengths of {run} neither rise nor fall: leave wave out.")
    resampler, masks, ivars = Resampler(own), [], []
    for row, flux in enumerate(chunk.flux):
        assert flux is not None
        ivar = None if chunk.ivar is None else chunk.ivar[row]
        mask = None if chunk.mask is None else chunk.mask[row]
        try:
            resampled = resampler(wave if wave.ndim == 1 else wave[row], flux, ivar, mask)
        except ValueError as error:
            raise ValueError(f"spectrum {row}: {error}.") from error
        chunk.flux[row] = resampled.flux
        masks.append(resampled.mask)
        if resampled.ivar is not None:
            ivars.append(resampled.ivar)
    chunk.mask, chunk.ivar = masks, ivars if chunk.ivar is not None else None
    return own
