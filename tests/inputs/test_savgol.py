"""Smoothing and derivatives as a transform, against scipy."""

import numpy as np
import pytest
import torch
from scipy.signal import savgol_filter

from spectral.configs.inputs import channels, transforms


@pytest.mark.parametrize("derivative", [0, 1, 2])
def test_the_fit_of_scipy_is_standardized(derivative: int) -> None:
    """Bad pixels lie between their neighbours before, and count for nothing after; both ends are outside."""
    flux = np.random.default_rng(1).normal(3, 1, (2, 2, 60)).astype(np.float32)
    mask = np.zeros((2, 60), bool)
    mask[0, :7] = mask[0, 55:] = mask[0, 20:23] = True
    options = {"name": "savgol", "window_pixels": 9, "order": 3, "derivative": derivative}
    transform = transforms.build(transforms.typed(options))
    given = np.where(mask[:, None], np.nan, flux)
    out = transform(torch.from_numpy(given), torch.from_numpy(mask)).numpy()
    for row, span in ((0, slice(7, 55)), (1, slice(0, 60))):
        good, pixels = ~mask[row, span], np.arange(60)[span]
        for channel in range(2):
            filled = np.interp(pixels, pixels[good], flux[row, channel, span][good])
            fitted = savgol_filter(filled, 9, 3, deriv=derivative, mode="nearest")
            expected = (fitted - fitted[good].mean()) / fitted[good].std()
            np.testing.assert_allclose(out[row, channel, span][good], expected[good], atol=2e-5)
    assert not out[0][:, mask[0]].any()
    if derivative == 2:
        whole = torch.from_numpy(flux[1:])
        torch.testing.assert_close(transform(whole, None), transform(whole, torch.zeros(1, 60, dtype=torch.bool)))


def test_a_fit_is_made_on_the_device_of_the_flux() -> None:
    """Its kernel was left on the CPU."""
    transform = transforms.build(transforms.typed("savgol"))
    assert transform(torch.zeros(1, 1, 40, device="meta"), None).device.type == "meta"
    channel = channels.build(channels.typed("savgol"))
    inside = torch.ones(1, 40, dtype=torch.bool, device="meta")
    assert channel.fit(torch.zeros(1, 1, 40, device="meta"), inside).device.type == "meta"
