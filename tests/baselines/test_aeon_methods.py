"""The methods that take their features from aeon, an optional package."""

import contextlib
import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from small_runs import composed, result

import spectral.configs.baseline_run  # noqa: F401  (puts the typed config where Hydra finds it)
from spectral.baselines.run import run
from spectral.errors import UserError

METHODS = {
    "minirocket": ["method.num_kernels=500"],
    "multirocket_hydra": ["method.num_kernels=168", "method.num_groups=4"],
    "quant": ["method.num_trees=30"],
}


def overrides(pack_folder: Path, folder: Path, method: str) -> list[str]:
    data = ["data=packed", f"data.folder={pack_folder}", "split.validation=0.25", "split.test=0.2"]
    places = [f"run_dir={folder}", "tracker=none", "plots=false", "num_threads=1", f"method={method}"]
    return [*data, *places, *METHODS[method]]


@pytest.mark.skipif(importlib.util.find_spec("aeon") is None, reason="aeon is not installed")
@pytest.mark.parametrize("method", METHODS)
def test_a_method_of_aeon_learns_and_repeats(method: str, pack_folder: Path, tmp_path: Path) -> None:
    scores = []
    for name in ("first", "again"):
        with contextlib.redirect_stdout(io.StringIO()):
            run(composed(overrides(pack_folder, tmp_path / name, method), "baseline"))
        scores.append(result(tmp_path / name))
    assert scores[0]["val/macro_f1"] > 0.5
    for name, value in scores[0].items():
        if name.startswith("val/"):
            assert scores[1][name] == pytest.approx(value, abs=1e-6), name


@pytest.mark.skipif(importlib.util.find_spec("aeon") is not None, reason="aeon is installed")
@pytest.mark.parametrize("method", METHODS)
def test_a_method_without_aeon_says_so_before_anything_is_read(method: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"method={method} needs the package aeon, which is not installed"):
        run(composed(overrides(tmp_path / "nowhere", tmp_path / "run", method), "baseline"))
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(importlib.util.find_spec("aeon") is None, reason="aeon is not installed")
@pytest.mark.parametrize("method", METHODS)
def test_spectra_of_few_pixels_are_refused(method: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "short.npz", flux=rng.normal(size=(40, 8)), label=np.array(["a", "b"] * 20))
    given = overrides(tmp_path, tmp_path / "run", method)[1:]
    data = [
        "data=arrays",
        f"data.path={tmp_path / 'short.npz'}",
        f"cache_dir={tmp_path / 'cache'}",
        "data.num_workers=1",
    ]
    options = [override for override in given if not override.startswith("data.folder")]
    with pytest.raises(UserError, match="9 pixels or more: these spectra have 8"):
        run(composed([*data, *options], "baseline"))
