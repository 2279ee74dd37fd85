"""Parts of the inputs follow the spectra to their device, once. The device is "meta", which computes nothing."""

import numpy as np
import torch

from spectral.inputs.augmentations import Redshift
from spectral.inputs.msc import MSC
from spectral.inputs.on_device import kept_on
from spectral.inputs.savgol import PolynomialFit

META = torch.device("meta")


def test_a_buffer_moves_once_and_stays() -> None:
    redshift = Redshift(0.1, None, ["star"], np.linspace(4000.0, 5000.0, 20))
    moved = kept_on(redshift, "wave", META, torch.float32)
    assert moved.device == META and moved.dtype == torch.float32
    assert kept_on(redshift, "wave", META) is moved is redshift.wave


def test_what_a_part_holds_is_there_after_its_first_batch() -> None:
    flux = torch.zeros(3, 1, 20, device=META)
    scatter, fit = MSC([[0.0] * 20]), PolynomialFit(5, 2, 1)
    scatter(flux)
    fit(flux, torch.ones(3, 20, dtype=torch.bool, device=META))
    assert scatter.reference.device == fit.kernel.device == META
