"""Multiplicative scatter correction against a few lines of numpy."""

import numpy as np
import pytest
import torch

from spectral.configs.inputs import transforms
from spectral.inputs.msc import MSC

LENGTH = 50


def spectra(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Flux [6, 2, L] of one shape under scatter and noise, and a mask [6, L]."""
    rng = np.random.default_rng(0)
    shape = np.sin(np.arange(LENGTH) / 6) + 2
    flux = rng.uniform(-1, 1, (6, 2, 1)) + rng.uniform(0.5, 2, (6, 2, 1)) * shape + rng.normal(0, 0.05, (6, 2, LENGTH))
    mask = rng.random((6, LENGTH)) < 0.2
    flux[np.broadcast_to(mask[:, None], flux.shape)] = 1e3  # never to be looked at
    return (scale * flux).astype(np.float32), mask


def learned(flux: np.ndarray, mask: np.ndarray | None) -> MSC:
    """Of two pieces."""
    pieces = [(flux[rows], None if mask is None else mask[rows]) for rows in (slice(0, 4), slice(4, None))]
    built: MSC = transforms.build(transforms.typed("msc"), **MSC.learn(pieces))
    return built


@pytest.mark.parametrize("scale", [1.0, 1e-17])
def test_the_line_against_the_mean_of_the_training_spectra_is_taken_out(scale: float) -> None:
    flux, mask = spectra(scale)
    out = learned(flux, mask)(torch.from_numpy(flux), torch.from_numpy(mask)).numpy()
    for channel in range(2):
        mean = np.ma.MaskedArray(flux[:, channel].astype(float), mask).mean(axis=0).filled()
        reference = (mean - mean.mean()) / mean.std()
        for row in range(6):
            good = ~mask[row]
            slope, offset = np.polyfit(reference[good], flux[row, channel, good].astype(float) / scale, 1)
            expected = (flux[row, channel, good] / scale - offset) / slope
            np.testing.assert_allclose(out[row, channel, good], expected, rtol=1e-3, atol=1e-4)
    assert not out[np.broadcast_to(mask[:, None], out.shape)].any()


def test_spectra_that_differ_by_scatter_alone_become_the_same() -> None:
    shape = np.cos(np.arange(LENGTH) / 4)
    flux = np.stack([0.3 + 2 * shape, -1 + 0.5 * shape, 5 + shape])[:, None].astype(np.float32)
    out = learned(flux, None)(torch.from_numpy(flux), None)
    torch.testing.assert_close(out[1:], out[:1].expand(2, -1, -1), rtol=0, atol=1e-4)


def test_a_spectrum_without_a_slope_or_without_good_pixels_gives_zeros() -> None:
    flux, mask = spectra()
    flux[0], mask[1] = 7, True
    assert not learned(flux[2:], mask[2:])(torch.from_numpy(flux), torch.from_numpy(mask))[:2].any()


def test_a_pixel_that_no_training_spectrum_has_is_interpolated() -> None:
    flux, mask = np.tile(np.arange(5.0, dtype=np.float32), (3, 1, 1)), np.zeros((3, 5), bool)
    mask[:, 2] = True
    flux[:, :, 2] = np.nan
    ((reference,),) = MSC.learn([(flux, mask)]).values()
    np.testing.assert_allclose(reference, (np.arange(5) - 2) / np.sqrt(2), rtol=1e-6)
