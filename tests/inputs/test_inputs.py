"""From flux, inverse variance and mask to what a network is given."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_filter
from torch import Tensor

from spectral.configs.inputs import InputsConfig, channels, transforms
from spectral.errors import UserError
from spectral.inputs.augmentations import Augmentation, Redshift, Shift
from spectral.inputs.bad_pixels import fill_bad_pixels, fill_every_pixel
from spectral.inputs.channels import Channel, Flux, Pixels
from spectral.inputs.inputs import Inputs
from spectral.inputs.transforms import Standardize, Unchanged

masks = st.lists(st.booleans(), min_size=1, max_size=40)


def build(*names: str, masked_pixels: str = "interpolate", num: int = 1, transform: str = "none") -> Inputs:
    built = [channels.build(channels.typed(name)) for name in names]
    return Inputs(num, transforms.build(transforms.typed(transform)), built, masked_pixels)


def flux_of(length: int, num: int = 1) -> Tensor:
    return torch.from_numpy(np.random.default_rng(length).normal(size=(1, num, length)).astype(np.float32)) + 3


@settings(max_examples=25, deadline=None)
@given(mask=masks)
def test_bad_pixels_take_the_line_between_their_good_neighbours(mask: list[bool]) -> None:
    flux, good = flux_of(len(mask), num=2), np.flatnonzero(~np.array(mask))
    made, padding = build("flux", num=2)(flux.masked_fill(torch.tensor(mask), torch.nan), None, torch.tensor([mask]))
    pixel = np.arange(len(mask))
    inside = (pixel >= good[0]) & (pixel <= good[-1]) if len(good) else np.zeros(len(mask), dtype=bool)
    assert padding is not None and padding[0].tolist() == (~inside).tolist()
    for channel in range(2):
        expected = np.interp(pixel, good, flux[0, channel, good]) if len(good) else np.zeros(len(mask))
        np.testing.assert_allclose(made[0, channel], np.where(inside, expected, 0), atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(mask=masks, seed=st.integers(0, 99))
def test_both_ways_of_filling_give_the_same(mask: list[bool], seed: int) -> None:
    bad = torch.tensor([[False, *mask, False], [False, *mask[::-1], False]])
    flux = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 3, bad.shape[1])).astype(np.float32))
    torch.testing.assert_close(fill_bad_pixels(flux, bad), fill_every_pixel(flux, bad))


def test_a_masked_pixel_does_not_become_a_deep_line() -> None:
    """The reason for interpolation: 0 on a continuum of 100 +- 1 standardizes to a line of many sigma."""
    flux = 100 + torch.sin(torch.arange(200.0))[None, None]
    mask = torch.zeros(1, 200, dtype=torch.bool)
    mask[0, 90:110] = True
    made, _ = Inputs(1, Unchanged(), [Flux()])(flux.masked_fill(mask, 0), None, mask)
    assert made.min() > 98.9


def test_masked_pixels_at_both_ends_are_padding() -> None:
    flux, mask = flux_of(60), torch.zeros(1, 60, dtype=torch.bool)
    mask[0, :7] = mask[0, -7:] = True
    made, padding = build("flux", "derivative", transform="standardize")(flux, None, mask)
    back, padding_back = build("flux", "derivative", transform="standardize")(flux.flip(2), None, mask.flip(1))
    assert padding is not None and padding_back is not None and torch.equal(padding, padding_back.flip(1))
    assert not made.masked_select(padding[:, None].expand_as(made)).any()
    torch.testing.assert_close(made[:, :1], back[:, :1].flip(2))
    torch.testing.assert_close(made[:, 1:], -back[:, 1:].flip(2))


def test_without_a_mask_nothing_is_padded_and_the_flux_is_scaled() -> None:
    flux = flux_of(30)
    made, padding = build("flux", transform="standardize")(flux, None, None)
    assert padding is None
    assert torch.equal(made, Standardize()(flux))


@settings(max_examples=25, deadline=None)
@given(mask=masks)
def test_the_mask_channel_marks_the_pixels_that_were_filled(mask: list[bool]) -> None:
    made, padding = build("flux", "mask")(flux_of(len(mask)), None, torch.tensor([mask]))
    assert padding is not None
    expected = [float(bad and not outside) for bad, outside in zip(mask, padding[0].tolist(), strict=True)]
    assert made[0, 1].tolist() == expected


def test_the_mask_channel_of_data_without_a_mask_is_zeros() -> None:
    made, _ = build("mask", "flux")(flux_of(12), None, None)
    assert made.shape == (1, 2, 12) and not made[:, 0].any() and made[:, 1].all()


def test_the_derivative_is_the_gradient_of_numpy_inside_the_spectrum() -> None:
    flux, mask = flux_of(25, num=2), torch.zeros(1, 25, dtype=torch.bool)
    mask[0, :4] = mask[0, 20:] = True
    made, _ = build("derivative", num=2)(flux, None, mask)
    np.testing.assert_allclose(made[0, :, 4:20], np.gradient(flux[0, :, 4:20].numpy(), axis=1), atol=1e-6)
    assert not made[0, :, :4].any() and not made[0, :, 20:].any()


def test_a_spectrum_of_one_good_pixel_has_no_derivative() -> None:
    made, _ = build("derivative")(flux_of(3), None, torch.tensor([[True, False, True]]))
    assert made.flatten().tolist() == [0, 0, 0]


def test_signal_to_noise_is_of_the_flux_as_measured() -> None:
    flux, ivar = flux_of(6, num=2), torch.full((1, 2, 6), 4.0)
    ivar[0, 0, 3] = 0
    made, _ = build("snr", num=2, transform="standardize")(flux, ivar, torch.tensor([[False] * 5 + [True]]))
    expected = np.arcsinh(flux.numpy() * np.sqrt(ivar.numpy()))
    expected[..., 5] = 0
    np.testing.assert_allclose(made, expected, rtol=1e-6)


def test_the_inverse_variance_stands_against_its_median_whatever_the_units_of_flux() -> None:
    ivar, mask = torch.tensor([[[1.0, 2.0, 4.0, 0.0, 1e9, 3.0]]]), torch.tensor([[False] * 5 + [True]])
    made, _ = build("log_ivar")(flux_of(6), ivar, mask)
    again, _ = build("log_ivar")(flux_of(6), ivar * 1e30, mask)
    np.testing.assert_allclose(made[0, 0], [-np.log(2), 0, np.log(2), -5, 5, 0], atol=1e-6)
    np.testing.assert_allclose(made, again, atol=1e-4)


def test_the_continuum_channel_leaves_a_narrow_line_out() -> None:
    flux = torch.full((1, 1, 100), 5.0)
    flux[0, 0, 48:51] = 50
    made, _ = build("continuum")(flux, None, torch.arange(100)[None] >= 90)
    assert (made[0, 0, :90] == 5).all() and not made[0, 0, 90:].any()


@pytest.mark.parametrize(("window", "order", "derivative"), [(5, 2, 0), (11, 3, 1), (7, 2, 2)])
def test_savgol_is_that_of_scipy_inside_the_spectrum(window: int, order: int, derivative: int) -> None:
    flux, mask = flux_of(40, num=2), torch.zeros(1, 40, dtype=torch.bool)
    mask[0, :6] = mask[0, 33:] = True
    options = {"name": "savgol", "window_pixels": window, "order": order, "derivative": derivative}
    inputs = Inputs(2, Unchanged(), [channels.build(channels.typed(options))])
    made, _ = inputs(flux, None, mask)
    expected = savgol_filter(flux[:, :, 6:33].numpy(), window, order, deriv=derivative, mode="nearest")
    np.testing.assert_allclose(made[:, :, 6:33], expected, atol=1e-5)
    assert not made[:, :, :6].any() and not made[:, :, 33:].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window_pixels": 10}, r"savgol\.window_pixels=10 must be odd"),
        ({"order": 11}, r"savgol\.order=11 must be at least the derivative, 1, and below the window, 11"),
        ({"order": 1, "derivative": 2}, r"savgol\.order=1 must be at least the derivative, 2"),
    ],
)
def test_a_fit_that_cannot_be_is_one_sentence(options: dict[str, int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        channels.typed({"name": "savgol", **options}, "savgol")


def test_the_number_of_network_channels_follows_the_survey() -> None:
    inputs = build("flux", "mask", "derivative", num=3)
    assert (inputs.num_survey_channels, inputs.num_channels) == (3, 7)
    assert inputs(flux_of(10, num=3), None, None)[0].shape == (1, 7, 10)


def test_zero_filling_of_masked_pixels_is_that_of_earlier_versions() -> None:
    mask = torch.tensor([[True, False, True, False, True]])
    made, padding = build("flux", masked_pixels="zero")(torch.ones(1, 1, 5), None, mask)
    assert made.flatten().tolist() == [0, 1, 0, 1, 0]
    assert padding is not None and padding.flatten().tolist() == [False, False, False, False, True]


class Doubled(Augmentation):
    """Twice the flux."""

    def forward(self, flux: Tensor, ivar: Tensor | None, mask: Tensor | None, target: Tensor | None) -> Any:
        return 2 * flux, ivar, mask


def test_augmentation_acts_in_training_only() -> None:
    inputs = Inputs(1, Unchanged(), [Flux()], augmentations=[Doubled()])
    flux = flux_of(8)
    assert torch.equal(inputs.train().augmented(flux, None, None, None)[0], 2 * flux)
    assert torch.equal(inputs.eval().augmented(flux, None, None, None)[0], flux)


WAVE = np.geomspace(3800.0, 9200.0, 2600)
MOVES = [(Shift(10, 100), slice(0, 8), 100), (Redshift(0.1, None, ["a"], WAVE), slice(2450, 2600), 2600)]


@pytest.mark.parametrize(("augmentation", "good", "length"), MOVES)
def test_a_spectrum_is_not_moved_out_of_the_pixels(augmentation: Augmentation, good: slice, length: int) -> None:
    """Of one that fills a part of the grid nothing but padding would be left, with a label."""
    torch.manual_seed(0)
    flux, mask = torch.randn(200, 2, length).half(), torch.ones(200, length, dtype=torch.bool)
    mask[:, good] = False
    ivar, state = torch.rand(200, 2, length), torch.get_rng_state()
    found = Inputs(2, Unchanged(), [Flux()], augmentations=[augmentation]).train().augmented(flux, ivar, mask, None)
    torch.set_rng_state(state)
    moved = augmentation(flux, ivar, mask, None)
    assert moved[2] is not None and found[2] is not None
    lost = moved[2].all(1)
    assert 10 < int(lost.sum()) < 100 and not found[2].all(1).any()
    for before, alone, kept in zip((flux, ivar, mask), moved, found, strict=True):
        assert alone is not None and kept is not None and kept.dtype == alone.dtype
        assert torch.equal(kept[lost], before[lost].to(kept.dtype)) and torch.equal(kept[~lost], alone[~lost])


class Ivar(Channel):
    """The inverse variance as it is."""

    needs_ivar = True

    def forward(self, pixels: Pixels) -> Tensor:
        assert pixels.ivar is not None
        return pixels.ivar


def test_inverse_variance_reaches_a_channel_that_asks_for_it() -> None:
    inputs, ivar = Inputs(1, Unchanged(), [Flux(), Ivar()]), torch.rand(1, 1, 6, generator=torch.Generator())
    assert inputs.needs_ivar
    assert torch.equal(inputs(flux_of(6), ivar, None)[0][:, 1:], ivar)


@pytest.mark.parametrize(
    ("given_channels", "sentence"),
    [
        ([], r"inputs\.channels=\[\] is empty"),
        (["flux", "flux"], r"inputs\.channels=\[flux,flux\] names a channel twice"),
        (["flux", "masks"], r"inputs\.channels\[1\]=masks is not known: did you mean 'mask'"),
    ],
)
def test_wrong_channels_are_refused_in_one_sentence(given_channels: list[str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        InputsConfig(channels=given_channels).check("inputs")


def test_a_channel_may_stand_twice_with_other_options() -> None:
    config = InputsConfig(channels=["flux", "savgol", {"name": "savgol", "derivative": 2}])
    config.check("inputs")
    flux = flux_of(40)
    made, _ = Inputs(1, Unchanged(), [channels.build(channel) for channel in config.channels])(flux, None, None)
    for row, derivative in ((1, 1), (2, 2)):
        np.testing.assert_allclose(
            made[0, row], savgol_filter(flux[0, 0], 11, 2, deriv=derivative, mode="nearest"), atol=1e-5
        )
