"""`data.baseline`: what is left of a made spectrum whose baseline is known."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from pybaselines import Baseline
from toy_reader import ToyReader, config

from spectral.configs.baseline import OPTIONS, BaselineConfig, baseline_from
from spectral.data.packing.baseline import remove_baselines
from spectral.data.packing.pack import pack
from spectral.data.readers.contract import Chunk
from spectral.errors import UserError

LENGTH = 800
PEAKS = {200: (8.0, 6.0), 500: (5.0, 8.0)}  # pixel -> height, standard deviation
PIXEL = np.arange(LENGTH)


def made(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A spectrum [1, L] of two lines and some noise on a curved baseline, and that baseline."""
    baseline = 5 + 3 * np.sin(PIXEL / 400) + PIXEL / 300
    lines = sum(h * np.exp(-0.5 * ((PIXEL - at) / width) ** 2) for at, (h, width) in PEAKS.items())
    flux = baseline + lines + np.random.default_rng(0).normal(0, 0.02, LENGTH)
    return (scale * flux[None]).astype(np.float32), baseline


def removed(
    flux: np.ndarray, mask: np.ndarray | None = None, ivar: np.ndarray | None = None, **options: object
) -> Chunk:
    chunk = Chunk([flux], None if ivar is None else [ivar], None if mask is None else [mask])
    remove_baselines(chunk, BaselineConfig(**options))  # type: ignore[arg-type]  # the options of a test
    return chunk


@pytest.mark.parametrize("scale", [1.0, 1e-17])
@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ({"method": "arpls", "lam": 1e6}, 0.01),
        ({"method": "airpls", "lam": 1e6}, 0.02),
        ({"method": "snip", "max_half_window": 20}, 0.04),
        ({"method": "modpoly", "poly_order": 5}, 0.03),
    ],
    ids=lambda value: value.get("method") if isinstance(value, dict) else None,
)
def test_lines_have_their_areas_once_the_baseline_is_removed(
    options: dict[str, object], tolerance: float, scale: float
) -> None:
    (flux,) = removed(made(scale)[0], **options).flux
    assert flux is not None and flux.shape == (1, LENGTH) and flux.dtype == np.float32
    for at, (height, width) in PEAKS.items():
        area = flux[0, at - 40 : at + 40].sum() / scale
        assert area == pytest.approx(height * width * np.sqrt(2 * np.pi), rel=tolerance)


def test_it_is_the_baseline_of_pybaselines() -> None:
    flux, _ = made()
    for method, option in OPTIONS.items():
        options = {option: getattr(BaselineConfig(), option)}
        (found,) = removed(flux, method=method).flux
        expected, _ = getattr(Baseline(), method)(flux[0].astype(float), **options)
        np.testing.assert_allclose(found, flux - expected, atol=1e-3, err_msg=method)


def test_bad_pixels_do_not_move_the_baseline() -> None:
    """A pixel is bad by the mask, without inverse variance, or if it is not finite; others keep their flux."""
    flux, baseline = made()
    mask, ivar = np.zeros(LENGTH, bool), np.ones((1, LENGTH), np.float32)
    mask[300:310], ivar[0, 350:360] = True, 0
    broken = flux.copy()
    broken[0, 300:310], broken[0, 350:360], broken[0, 400] = 1e6, -1e6, np.nan
    (found,) = removed(broken, mask, ivar, method="arpls", lam=1e6).flux
    assert found is not None and np.isnan(found[0, 400])
    far = np.abs(PIXEL - 350) > 60
    np.testing.assert_allclose(found[0, far], (flux[0] - baseline)[far], atol=0.15)


def test_a_spectrum_in_which_none_is_found_is_a_bad_row() -> None:
    chunk = removed(np.ones((1, 2), np.float32), method="arpls")
    assert chunk.flux == [None] and chunk.problems[0].startswith("no baseline: ")
    assert removed(np.full((1, 9), np.nan, np.float32), method="snip").flux[0] is not None


def test_a_pack_says_how_its_baseline_was_removed(tmp_path: Path) -> None:
    options = BaselineConfig("modpoly", poly_order=1)
    survey = pack(ToyReader(with_ivar=True), config(baseline=options), tmp_path / "pack", progress=False)
    assert survey.baseline == {"method": "modpoly", "poly_order": 1}
    np.testing.assert_allclose(survey.flux[:, :, 1:], 0, atol=0.03)  # its spectra are lines, up to 7
    again = pack(ToyReader(with_ivar=True), config(), tmp_path / "pack", progress=False)
    assert again.baseline == {} and again.fingerprint != survey.fingerprint


def test_what_cannot_be_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"data\.baseline\.method=arpl is not known: did you mean 'arpls'"):
        baseline_from({"method": "arpl"}, "data.baseline")
    with pytest.raises(UserError, match=r"inputs\.baseline is not known to this version of Spectral"):
        baseline_from({"method": "snip", "width": 3}, "inputs.baseline")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"method=snip needs pybaselines, .* pip install -e '\.\[baseline"):
        pack(ToyReader(), config(baseline=BaselineConfig("snip")), tmp_path / "pack")
