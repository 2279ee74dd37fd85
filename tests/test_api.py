"""Spectral from Python: arrays in, probabilities out."""

import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from report_runs import add_network, make_run, make_survey

import spectral
from spectral import load_run, open_survey
from spectral.api import TrainedRun
from spectral.configs.commands import EvaluateConfig
from spectral.configs.readers import ArraysConfig
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.predictor import Predictor
from spectral.inference.run_and_data import open_run_and_data
from spectral.runs.folder import RunFolder
from spectral.scoring.decision import Decision
from spectral.survey import Survey

LENGTH = 60
WAVE = np.linspace(4000.0, 5000.0, LENGTH)
ON_CPU: dict[str, Any] = {"device": "cpu", "precision": "float32", "num_threads": 1}


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return make_survey(tmp_path_factory.mktemp("survey") / "s", num=6, length=LENGTH, wave=WAVE, ivar=None)


@pytest.fixture(scope="module")
def folder(survey: Survey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with an untrained network, which decides on any class but the first."""
    return finished(tmp_path_factory.mktemp("run") / "r", survey)


def finished(path: Path, survey: Survey) -> Path:
    run = make_run(path, survey, [0, 1, 2] * 2, [0.9] * 6)
    add_network(run, survey)
    classifier, rule = Classifier.load(RunFolder(run.path)), Decision(3)
    rule.offset[0] = 1.0
    classifier.output_prior, classifier.decision_state = [0.5, 0.25, 0.25], rule.state()
    classifier.save(RunFolder(run.path))
    (run.path / "config.yaml").write_text("seed: 0\n")
    return Path(run.path)


@pytest.fixture(scope="module")
def run(folder: Path) -> TrainedRun:
    return load_run(folder, **ON_CPU)


def spectra(num: int = 7, length: int = LENGTH) -> Any:
    return np.random.default_rng(0).normal(10, 1, (num, length)).astype(np.float32)


def test_spectral_alone_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'torch', 'pandas', 'sklearn', 'hydra', 'spectral.api'}"
    code = f"import sys, spectral; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(spectral.__file__).parents[1])
    with pytest.raises(AttributeError, match="has no attribute 'load_runs'"):
        _ = spectral.load_runs  # type: ignore[attr-defined]  # the mistake that is tested


def test_probabilities_are_those_of_predict_to_the_last_bit(run: TrainedRun, folder: Path, tmp_path: Path) -> None:
    flux, mask, ivar = spectra(), np.zeros((7, LENGTH), bool), np.ones((7, LENGTH), np.float32)
    mask[1, :9], mask[2, 30:33] = True, True
    flux[2, 31], ivar[3, 5], ivar[4, 7] = np.nan, 0, np.nan
    np.savez(tmp_path / "new.npz", flux=flux, mask=mask, ivar=ivar, wave=WAVE)
    data = ArraysConfig(path=str(tmp_path / "new.npz"), num_workers=1)
    on_cpu = {"device": "cpu", "precision": "float32"}
    command = EvaluateConfig(run=str(folder), data=data, cache_dir=str(tmp_path / "cache"), **on_cpu)  # type: ignore[arg-type]  # text alone
    predictor, packed, _ = open_run_and_data(command)
    expected = predictor.probabilities(packed, np.arange(len(packed)))
    found = run.predict_proba(flux, ivar=ivar, mask=mask, wave=WAVE)
    np.testing.assert_array_equal(found, expected)
    assert (
        run.predict(flux, ivar=ivar, mask=mask).tolist()
        == np.array(run.class_names)[predictor.decide(expected)].tolist()
    )


def test_a_run_knows_its_classes_pixels_and_rule(run: TrainedRun) -> None:
    assert run.class_names == ["star", "galaxy", "qso"] and run.output_prior == [0.5, 0.25, 0.25]
    assert run.wave_angstrom is not None
    np.testing.assert_allclose(run.wave_angstrom, WAVE)
    assert "star" not in run.predict(spectra())
    table = run.predict_table(spectra())
    assert list(table) == ["predicted", *(f"probability/{name}" for name in run.class_names)]
    np.testing.assert_array_equal(table[table.columns[1:]], run.predict_proba(spectra()))


def test_one_spectrum_channels_and_lists_are_taken(run: TrainedRun) -> None:
    flux = spectra(1)
    expected = run.predict_proba(flux)
    for given in (flux[0], flux[:, None], flux.tolist()):
        np.testing.assert_array_equal(run.predict_proba(given), expected)
    np.testing.assert_array_equal(run.predict_proba(torch.from_numpy(flux).requires_grad_()), expected)
    rounded = torch.from_numpy(flux).bfloat16()
    np.testing.assert_array_equal(run.predict_proba(rounded), run.predict_proba(rounded.float()))
    assert run.predict_proba(flux[:0]).shape == (0, 3)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(run)).predict_proba(flux), expected)


def test_what_a_masked_array_hides_is_bad(run: TrainedRun) -> None:
    bad, also = np.zeros((7, LENGTH), bool), np.zeros((7, LENGTH), bool)
    bad[:, 20:30], also[:, 40:44] = True, True
    flux, ivar = np.where(bad, 1e5, spectra()), np.ones((7, LENGTH))
    masked = np.ma.masked_array(flux, mask=bad)
    for given in (masked, masked[:, None]):
        np.testing.assert_array_equal(run.predict_proba(given), run.predict_proba(flux, mask=bad))
    both = run.predict_proba(masked, np.ma.masked_array(ivar, mask=also))
    np.testing.assert_array_equal(both, run.predict_proba(flux, ivar, mask=bad | also))
    np.testing.assert_array_equal(run.predict_proba(masked, ivar, mask=also), both)


def test_threads_that_share_a_run_get_what_one_gets(folder: Path) -> None:
    """In training mode its batch norm would use, and change, other statistics."""
    run = load_run(folder, **ON_CPU)
    expected = run.predict_proba(spectra())
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda _: run.predict_proba(spectra()), range(100))]
    for probabilities in (*found, run.predict_proba(spectra())):
        np.testing.assert_array_equal(probabilities, expected)
    assert isinstance(run.predictor, Predictor)
    assert not run.predictor.network.training and not run.predictor.inputs.training


def test_other_wavelengths_are_resampled_to_those_of_the_run(run: TrainedRun) -> None:
    """Pixels of half the width, in pairs of the same flux, are the run's own pixels; each row may have its own."""
    step = WAVE[1] - WAVE[0]
    fine = np.stack([WAVE - step / 4, WAVE + step / 4], axis=1).ravel()
    expected = run.predict_proba(spectra())
    doubled = np.repeat(spectra(), 2, axis=1)
    np.testing.assert_allclose(run.predict_proba(doubled, wave=fine), expected, atol=1e-5)
    np.testing.assert_allclose(run.predict_proba(doubled, wave=np.tile(fine, (7, 1))), expected, atol=1e-5)
    turned = run.predict_proba(spectra()[:, ::-1], wave=WAVE[::-1])
    np.testing.assert_allclose(turned, expected, atol=1e-6)


def test_a_run_on_falling_wavelengths_takes_rising_ones(tmp_path: Path) -> None:
    survey = make_survey(tmp_path / "s", num=6, length=LENGTH, wave=WAVE[::-1], ivar=None)
    run = load_run(finished(tmp_path / "r", survey), **ON_CPU)
    expected = run.predict_proba(spectra())
    turned = run.predict_proba(spectra()[:, ::-1], wave=WAVE)
    np.testing.assert_allclose(turned, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"flux": np.zeros((2, 3, 4, 5))}, r"flux has shape \[2, 3, 4, 5\]: give \[n, l\]"),
        ({"flux": np.zeros((2, 2, LENGTH))}, r"flux of shape \[2, 2, 60\] has 2 channels, run=.* needs 1"),
        ({"flux": [["a"]]}, "flux is not an array of numbers"),
        ({"flux": [[1.0], [1.0, 2.0]]}, "flux is not an array of numbers"),
        ({"flux": np.ones((2, 61))}, "has 61 pixels per spectrum, run=.* was trained on 60"),
        ({"flux": np.ones((2, 40))}, "has 40 pixels per spectrum, .* no wavelengths: give it its wavelengths"),
        ({"flux": [np.ma.masked_less(np.arange(LENGTH), 9)] * 2}, "flux is a list of masked arrays, .* np.ma.stack"),
        ({"ivar": np.ones(LENGTH)}, r"ivar has shape \[60\], the flux asks for \[7, 60\]"),
        ({"mask": np.zeros((7, 59))}, r"mask has shape \[7, 59\], the flux asks for \[7, 60\]"),
        ({"wave": WAVE[:-1]}, r"wave has shape \[59\], the flux asks for \[60\], or for \[7, 60\]"),
        ({"wave": WAVE + 1j}, "wave is not an array of numbers: its type is complex128"),
        ({"wave": np.ma.masked_less(WAVE, 4100)}, "wave is a masked array that hides some"),
        ({"wave": WAVE + 9000}, "spectrum 0: outside the grid: 13000.0 to 14000.0 Angstrom"),
        ({"flux": np.where(np.arange(LENGTH) == 4, np.nan, 1.0)}, "spectrum 0 cannot be classified: .* at pixel 4"),
        ({"mask": np.ones((7, LENGTH))}, "spectrum 0 cannot be classified: no good pixel"),
    ],
)
def test_what_cannot_be_classified_is_a_value_error(given: dict[str, Any], sentence: str, run: TrainedRun) -> None:
    with pytest.raises(ValueError, match=sentence):
        run.predict_proba(**({"flux": spectra()} | given))


def test_fewer_pixels_than_those_of_a_run_without_wavelengths_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    survey = make_survey(tmp_path / "s", num=6, length=LENGTH, wave=None, ivar=None)
    run = load_run(finished(tmp_path / "r", survey), **ON_CPU)
    mask = np.tile(np.arange(LENGTH) >= 40, (7, 1))
    expected = run.predict_proba(spectra(), mask=mask)
    caplog.clear()
    np.testing.assert_allclose(run.predict_proba(spectra()[:, :40]), expected, atol=1e-6)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.message.endswith(
        "was trained on 60, and neither has wavelengths: the first pixels are taken for the same, the last 20 count as "
        "bad pixels."
    )


def test_a_run_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        load_run(tmp_path)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"precision": "fp32"}, "precision=fp32 is not known: .*allowed: auto, bfloat16, float32"),
        ({"precision": None}, "precision=null has the wrong type: allowed is text"),
        ({"batch_size": 0}, "batch_size=0 is out of range: allowed is at least 1"),
        ({"batch_size": 2.5}, "batch_size=2.5 has the wrong type: allowed is an integer"),
        ({"num_threads": 0}, "num_threads=0 is out of range: allowed is at least 1"),
        ({"device": "gpu"}, "device=gpu is no device: allowed are auto, cpu"),
    ],
)
@pytest.mark.parametrize("path", ["run", "model.onnx"])
def test_an_argument_that_is_not_allowed_is_one_sentence(given: dict[str, Any], sentence: str, path: str) -> None:
    with pytest.raises(UserError, match=f"^{sentence}"):
        load_run(path, **given)


def test_a_device_of_torch_and_a_folder_of_the_home_are_taken(
    run: TrainedRun, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    loaded = load_run(f"~/{folder.name}", **ON_CPU | {"device": torch.device("cpu")})
    np.testing.assert_array_equal(loaded.predict_proba(spectra()), run.predict_proba(spectra()))


def test_numbers_and_text_of_numpy_are_taken(run: TrainedRun, folder: Path) -> None:
    given = {"precision": np.str_("float32"), "num_threads": np.int32(1), "batch_size": np.int64(2)}
    loaded = load_run(folder, device="cpu", **given)
    np.testing.assert_allclose(loaded.predict_proba(spectra()), run.predict_proba(spectra()), rtol=1e-5)


def test_a_folder_that_begins_with_a_tilde_need_not_be_of_a_home(
    run: TrainedRun, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="~no_such_user/run is not a run folder"):
        load_run("~no_such_user/run")
    shutil.copytree(folder, tmp_path / "~no_such_user" / "run")
    loaded = load_run("~no_such_user/run", **ON_CPU)
    np.testing.assert_array_equal(loaded.predict_proba(spectra()), run.predict_proba(spectra()))


def test_a_survey_is_opened_by_keywords_or_by_a_config(survey: Survey, tmp_path: Path) -> None:
    assert survey.folder is not None
    for opened in (
        open_survey(folder=survey.folder),
        open_survey({"name": "packed", "folder": str(survey.folder)}),
        open_survey("arrays", path=survey.folder.parent / "survey.npz", num_workers=1, cache_dir=tmp_path),
    ):
        pd.testing.assert_series_equal(opened.catalog["id"], survey.catalog["id"])
    with pytest.raises(UserError, match="did you mean 'folder'"):
        open_survey(foldr="x")
    with pytest.raises(UserError, match="data=array is not known: did you mean 'arrays'"):
        open_survey("array", path="x")


def test_a_plain_script_opens_a_survey_in_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("spectral.data.packing.workers.num_cores", lambda: 4)
    monkeypatch.setattr("spectral.data.packing.workers.ProcessPoolExecutor", refuse)
    opened = open_survey("simulated", num_spectra=12, rows_per_part=4, cache_dir=tmp_path)
    assert len(opened) == 12


@pytest.mark.slow
@pytest.mark.parametrize("num_spectra", [12, 3000])  # the catalog of 3000 is more than a pipe holds
def test_a_script_that_needs_a_guard_ends_with_a_sentence(num_spectra: int, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from spectral import open_survey\n"
        f"survey = open_survey('simulated', num_spectra={num_spectra}, rows_per_part=4, num_workers=2)\n"
    )
    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(spectral.__file__).parents[1])},
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert "A survey is opened while a packing process starts: in a script, put what opens a survey" in ended.stderr
    assert "UserError: No packing process could start: in a script, put what opens a survey under" in ended.stderr
