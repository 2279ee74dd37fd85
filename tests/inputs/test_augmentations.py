"""What training changes in its spectra. B batch, S survey channels, L length."""

from typing import Any

import numpy as np
import pytest
import seeds
import torch
from torch import Tensor

from spectral.configs.inputs import InputsConfig, augmentations
from spectral.errors import UserError
from spectral.inputs.augmentations import Augmentation, Crop, Gain, Noise, Redshift, Shift

WAVE = np.linspace(4000.0, 8000.0, 200)
NAMES = ["star", "galaxy"]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def build(name: str, **options: Any) -> Augmentation:
    typed = augmentations.typed({"name": name, **options})
    built: Augmentation = augmentations.build(typed, class_names=NAMES, wave_angstrom=WAVE)
    return built


def spectra(num: int = 30) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Flux [num, 2, 200] that is NaN where masked, inverse variance, mask and targets."""
    rng = np.random.default_rng(0)
    flux = torch.from_numpy(rng.normal(5, 1, size=(num, 2, 200)).astype(np.float32))
    mask = torch.from_numpy(rng.random((num, 200)) < 0.1)
    ivar = torch.from_numpy(rng.uniform(0.5, 2, flux.shape).astype(np.float32))
    return flux.masked_fill(mask[:, None], torch.nan), ivar, mask, torch.arange(num) % 2


@pytest.mark.parametrize("name", augmentations.names)
def test_shapes_stay_and_no_good_pixel_is_lost_to_a_bad_one(name: str) -> None:
    flux, ivar, mask, target = spectra()
    new_flux, new_ivar, new_mask = build(name)(flux, ivar, mask, target)
    assert new_ivar is not None and new_mask is not None
    assert new_flux.shape == flux.shape and new_ivar.shape == ivar.shape and new_mask.shape == mask.shape
    assert torch.isfinite(new_flux.masked_fill(new_mask[:, None], 0)).all()
    assert (new_ivar > 0).all()
    assert not torch.equal(new_flux.nan_to_num(), flux.nan_to_num()) or not torch.equal(new_mask, mask)


@pytest.mark.parametrize("name", augmentations.names)
def test_one_seed_changes_spectra_alike_and_another_does_not(name: str) -> None:
    flux, ivar, mask, target = spectra()
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        new_flux, _, new_mask = build(name)(flux, ivar, mask, target)
        assert new_mask is not None
        found.append(torch.cat([new_flux.nan_to_num().flatten(), new_mask.float().flatten()]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_shift_moves_flux_errors_and_mask_together() -> None:
    ramp = torch.arange(20.0).expand(40, 1, 20)
    flux, ivar, mask = Shift(3)(ramp, ramp + 1, ramp[:, 0] == 10, None)
    assert mask is not None and ivar is not None
    by = 10 - flux[:, 0, 10]
    assert set(by.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    for row, pixels in zip(range(40), by.int().tolist(), strict=True):
        assert flux[row, 0].tolist() == np.clip(np.arange(20) - pixels, 0, 19).tolist()
        assert mask[row].nonzero().flatten().tolist() == [10 + pixels]
    assert torch.equal(ivar, flux + 1)


def test_a_shift_is_shorter_than_the_spectra() -> None:
    config = augmentations.typed({"name": "shift", "max_pixels": 96}, "inputs.augmentations[0]")
    with pytest.raises(UserError, match="shift has max_pixels=96, and the spectra have 96 pixels"):
        augmentations.build(config, length=96, class_names=NAMES, wave_angstrom=None)
    assert augmentations.build(config, length=97, class_names=NAMES, wave_angstrom=None).max_pixels == 96


def test_a_crop_masks_all_but_one_part_of_at_least_its_share() -> None:
    flux = torch.ones(500, 1, 100)
    same, _, mask = Crop(0.6)(flux, None, None, None)
    assert mask is not None and same is flux
    good = ~mask
    assert 60 <= int(good.sum(1).min()) < 65 and int(good.sum(1).max()) > 95
    assert ((good[:, 1:] != good[:, :-1]).sum(1) + good[:, 0].int() + good[:, -1].int() == 2).all()
    assert good[:, 0].any() and good[:, -1].any()


def test_a_crop_keeps_its_share_of_a_spectrum_that_is_shorter_than_the_longest() -> None:
    """Its other pixels are padding already: of all of them a part may be kept that has none of the spectrum."""
    pixel, flux = torch.arange(100), torch.ones(200, 1, 100)
    mask = ((pixel < 30) | (pixel >= 40) | (pixel == 35)).expand(200, 100)
    _, _, cropped = Crop(0.5)(flux, None, mask, None)
    assert cropped is not None
    num_good = (~cropped).sum(1)
    assert int(num_good.min()) in (4, 5) and int(num_good.max()) == 9


def test_a_crop_leaves_bad_pixels_bad() -> None:
    flux, _, mask, _ = spectra()
    _, _, cropped = Crop(0.5)(flux, None, mask, None)
    assert cropped is not None and (cropped | ~mask).all()


@pytest.mark.parametrize("error", ["flux", "ivar"])
def test_noise_is_in_units_of_the_error(error: str) -> None:
    sigma = torch.tensor([1.0, 10.0])[:, None, None]
    flux = 100 + sigma * torch.randn(2, 20, 2000)
    ivar = (1 / sigma**2).expand_as(flux)
    noisy, new_ivar, _ = Noise(2.0, error)(flux.half(), ivar, None, None)
    assert new_ivar is not None
    added = (noisy - flux).std(dim=(1, 2)) / sigma.flatten()
    assert (added > 0.05).all() and (added < 2).all() and noisy.dtype == torch.float32
    drawn = torch.stack([(Noise(2.0, error)(flux, ivar, None, None)[0] - flux).std(dim=(1, 2)) for _ in range(60)])
    means = (drawn / sigma.flatten()).mean(0)
    assert torch.allclose(means, torch.ones(2), atol=0.2)  # uniform between 0 and 2
    assert torch.allclose(1 / new_ivar.mean(dim=(1, 2)), sigma.flatten() ** 2 * (1 + added**2), rtol=0.1)


def test_noise_by_flux_does_not_look_at_masked_pixels() -> None:
    flux, mask = torch.ones(1, 1, 50), torch.zeros(1, 50, dtype=torch.bool)
    flux[0, 0, ::2], mask[0, ::2] = torch.nan, True  # no two good neighbours
    noisy, _, _ = Noise(1.0)(flux, None, mask, None)
    assert torch.equal(noisy.masked_fill(mask[:, None], 0), flux.masked_fill(mask[:, None], 0))


def test_gain_keeps_the_signal_to_noise() -> None:
    flux, ivar, _, _ = spectra()
    louder, new_ivar, _ = Gain(0.5)(flux, ivar, None, None)
    assert new_ivar is not None
    factor = (louder / flux).nanmean(dim=(1, 2))
    assert factor.min() < 0.7 and factor.max() > 1.3 and factor.min() >= 0.5 and factor.max() <= 1.5
    torch.testing.assert_close((louder * new_ivar.sqrt()).nan_to_num(), (flux * ivar.sqrt()).nan_to_num())


def test_calibration_is_a_smooth_curve_of_its_degree() -> None:
    flux = torch.ones(400, 1, 301)
    curve, ivar, _ = build("calibration", sigma=0.1, degree=3)(flux, flux, None, None)
    fits = np.polynomial.chebyshev.chebfit(np.linspace(-1, 1, 301), curve[:, 0].log().T.numpy(), 5)
    np.testing.assert_allclose(fits[[0, 4, 5]], 0, atol=1e-5)
    np.testing.assert_allclose(fits[1:4].std(axis=1), 0.1, rtol=0.2)
    assert ivar is not None
    torch.testing.assert_close(ivar, curve**-2)


@pytest.mark.parametrize("wave", [WAVE, np.geomspace(4000, 8000, 200)], ids=["even", "logarithmic"])
def test_a_redshift_moves_a_line_to_its_new_wavelength(wave: np.ndarray) -> None:
    line = torch.from_numpy(np.exp(-0.5 * ((wave - 6000) / 60) ** 2)).float().expand(60, 1, 200)
    state = torch.get_rng_state()
    moved, _, _ = Redshift(0.05, None, NAMES, wave)(line, None, None, torch.zeros(60, dtype=torch.int64))
    torch.set_rng_state(state)
    z = 0.05 * (2 * torch.rand(60, 1) - 1).double().numpy()
    assert z.min() < -0.03 and z.max() > 0.03
    expected = [np.interp(wave / (1 + each), wave, line[0, 0]) for each in z]
    np.testing.assert_allclose(moved[:, 0], expected, atol=1e-5)


def test_a_redshift_moves_its_classes_and_spreads_bad_pixels() -> None:
    line = torch.from_numpy(np.exp(-0.5 * ((WAVE - 6000) / 60) ** 2)).float().expand(60, 1, 200)
    mask, target = torch.zeros(60, 200, dtype=torch.bool), torch.arange(60) % 2
    mask[:, 150] = True
    moved, _, bad = Redshift(0.05, ["galaxy"], NAMES, WAVE)(line, None, mask, target)
    centres = (moved[:, 0] * torch.from_numpy(WAVE)).sum(1) / moved[:, 0].sum(1)
    pixel = WAVE[1] - WAVE[0]
    assert (centres[target == 0] - 6000).abs().max() < pixel and (centres[target == 1] - 6000).abs().max() > 5 * pixel
    assert bad is not None
    assert bad[target == 0][:, 149:151].any(1).all() and not bad[target == 0][:, :149].any()
    assert bad[target == 1].float().mean() > mask.float().mean()


def test_a_redshift_knows_its_classes_whatever_their_capitals() -> None:
    flux = torch.randn(60, 1, 200, generator=seeds.generator(0))
    target, state = torch.arange(60) % 2, torch.get_rng_state()
    expected = Redshift(0.05, ["galaxy"], NAMES, WAVE)(flux, None, None, target)[0]
    for given, names in ((["GALAXY"], NAMES), (["galaxy"], ["STAR", "Galaxy"])):
        torch.set_rng_state(state)
        assert torch.equal(Redshift(0.05, given, names, WAVE)(flux, None, None, target)[0], expected)
    with pytest.raises(UserError, match="redshift acts on the class Galaxy, and the data has"):  # which of the two?
        Redshift(0.05, ["Galaxy"], ["galaxy", "GALAXY"], WAVE)


def test_a_redshift_of_some_classes_leaves_little_in_the_noise_that_names_them() -> None:
    """Interpolation makes noise smoother, and ends are repeated: in all classes alike, or networks learn that."""
    flux, state = torch.randn(4000, 1, 200, generator=seeds.generator(0)), torch.get_rng_state()
    redshift = Redshift(0.05, ["galaxy"], NAMES, WAVE)

    def moved(label: str) -> Tensor:
        torch.set_rng_state(state)  # the same redshifts
        found: Tensor = redshift(flux, None, None, torch.full((4000,), NAMES.index(label)))[0][:, 0]
        return found

    def num_repeated(noise: Tensor) -> Tensor:
        return (noise == noise[:, :1]).long().cumprod(1).sum(1)

    star, galaxy = moved("star"), moved("galaxy")
    for one, other in ((star, galaxy), (star.flip(1), galaxy.flip(1))):
        assert torch.equal(num_repeated(one), num_repeated(other)) and num_repeated(one).max() > 5
    for figure in (lambda noise: noise.square().mean(), lambda noise: noise[:, 60:-60].diff().square().mean()):
        # That of noise left as it is differs by a third and more. Standard errors are below 0.01.
        assert figure(star).item() == pytest.approx(figure(galaxy).item(), rel=0.1)


def test_a_redshift_of_falling_wavelengths_is_that_of_rising_ones() -> None:
    flux, ivar, mask, target = spectra()
    state = torch.get_rng_state()
    found = Redshift(0.05, None, NAMES, WAVE)(flux, ivar, mask, target)
    torch.set_rng_state(state)
    falling = Redshift(0.05, None, NAMES, WAVE[::-1])(flux.flip(2), ivar.flip(2), mask.flip(1), target)
    assert found[0].nan_to_num().std() > 0.5  # no blank spectra
    for one, other in zip(found, falling, strict=True):
        assert one is not None and other is not None
        torch.testing.assert_close(other.flip(-1), one, equal_nan=True)


def test_places_in_float32_are_those_in_float64_to_a_thousandth_of_a_pixel() -> None:
    """Of a GPU that has no float64."""
    redshift = Redshift(0.2, None, NAMES, np.linspace(3690.0, 9100.0, 2600))
    z = torch.linspace(-0.2, 0.2, 41)[:, None]
    (left, weight), (exact_left, exact_weight) = redshift._places(z), redshift._places(z.double())
    assert weight.dtype == torch.float32
    torch.testing.assert_close(left + weight.double(), exact_left + exact_weight, rtol=0, atol=1e-3)


def test_a_redshift_needs_wavelengths_and_a_known_class() -> None:
    with pytest.raises(UserError, match="redshift and the data has no wavelengths"):
        Redshift(0.05, None, NAMES, None)
    with pytest.raises(UserError, match="redshift and the wavelengths of the data neither rise nor fall"):
        Redshift(0.05, None, NAMES, np.concatenate([WAVE[:50], WAVE[10:60]]))
    with pytest.raises(UserError, match=r"the class quasar, and the data has the classes star, galaxy"):
        Redshift(0.05, ["quasar"], NAMES, WAVE)
    with pytest.raises(UserError, match=r"classes=\[\] names no class"):
        augmentations.typed({"name": "redshift", "classes": []}, "inputs.augmentations[0]")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["shift", {"name": "shift", "max_pixels": 3}], "names an augmentation twice"),
        (["flip"], r"inputs.augmentations\[0\]=flip is not known"),
        ([{"name": "crop", "min_share": 1.5}], r"inputs.augmentations\[0\].min_share=1.5 is out of range"),
    ],
)
def test_a_wrong_augmentation_is_named(given: list[Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        InputsConfig(augmentations=given).check("inputs")
