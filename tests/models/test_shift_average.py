"""The average of a network over shifts of the spectrum, next to the same by NumPy."""

import numpy as np
import torch
from network_variants import build_network
from scipy.special import softmax

from spectral.models.shift_average import ShiftAverage


def moved(values: np.ndarray, by: int) -> np.ndarray:
    """Values [..., L] moved by some pixels; the last one is repeated at the end that opens."""
    length, lead = values.shape[-1], [(0, 0)] * (values.ndim - 1)
    padded = np.pad(values, [*lead, (abs(by), abs(by))], mode="edge")
    return padded[..., abs(by) - by : abs(by) - by + length]


def test_probabilities_are_the_mean_over_the_shifted_spectra() -> None:
    torch.manual_seed(0)
    network = build_network("reference", num_channels=2, length=64).double().eval()
    flux, mask = np.random.default_rng(0).normal(size=(3, 2, 64)), np.zeros((3, 64), bool)
    mask[1, 50:] = True
    shifts = [-3, 0, 5]
    with torch.no_grad():
        alone = [
            network(torch.from_numpy(moved(flux, by).copy()), torch.from_numpy(moved(mask, by).copy())).numpy()
            for by in shifts
        ]
        found = ShiftAverage(network, shifts)(torch.from_numpy(flux), torch.from_numpy(mask)).exp().numpy()
    np.testing.assert_allclose(found, np.mean([softmax(logits, axis=1) for logits in alone], axis=0), rtol=1e-9)


def test_the_shift_0_alone_is_the_network() -> None:
    torch.manual_seed(0)
    network = build_network("reference", num_channels=1, length=64).double().eval()
    flux = torch.randn(2, 1, 64, dtype=torch.float64)
    torch.testing.assert_close(ShiftAverage(network, [0])(flux).softmax(1), network(flux, None).softmax(1))
