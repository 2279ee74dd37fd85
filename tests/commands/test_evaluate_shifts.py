"""Runs whose class probabilities are averaged over shifts of the spectrum."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from applied_runs import evaluate, predict
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from safetensors.numpy import load_file
from small_runs import CLASSES, OVERRIDES, arrays, run

from spectral import load_run
from spectral.ensembling.make import EnsembleOptions, make_ensemble
from spectral.errors import UserError
from spectral.exporting.onnx_file import LARGEST_DIFFERENCE, write_onnx
from spectral.runs.folder import RunFolder

SHIFTS = [-4, 0, 6]
GIVEN = "evaluate_shifts=[-4,0,6]"
SHORT = ("schedule.stages.0.epochs=1", "transform=none")  # shifted before scaling or after is then the same
ON_CPU = {"device": "cpu", "precision": "float32"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two runs that differ in the option alone, and the survey."""
    folder = tmp_path_factory.mktemp("shifts")
    np.savez(folder / "survey.npz", **arrays())
    for name, more in {"plain": (), "shifted": (GIVEN,)}.items():
        run([*data_of(folder), f"run_dir={folder / name}", *OVERRIDES, *SHORT, *more])
    return folder


def data_of(folder: Path) -> list[str]:
    return ["data=arrays", f"data.path={folder / 'survey.npz'}", f"cache_dir={folder / 'cache'}"]


def by_hand(folder: Path, flux: np.ndarray) -> np.ndarray:
    """The mean probabilities of the plain run for the shifted spectra."""
    plain, length = load_run(folder / "plain", **ON_CPU), flux.shape[1]
    moved = [flux[:, np.clip(np.arange(length) - by, 0, length - 1)] for by in SHIFTS]
    return np.asarray(np.mean([plain.predict_proba(one) for one in moved], axis=0))


def test_a_run_is_scored_and_applied_by_the_average(folder: Path) -> None:
    assert (folder / "plain" / "best.safetensors").read_bytes() == (
        folder / "shifted" / "best.safetensors"
    ).read_bytes()
    flux = arrays(num=9, seed=5)["flux"]
    found = load_run(folder / "shifted", **ON_CPU).predict_proba(flux)
    np.testing.assert_allclose(found, by_hand(folder, flux), atol=1e-6)
    stored = pd.read_parquet(folder / "shifted" / "predictions.parquet")
    spectra = arrays()["flux"][[int(name[1:]) for name in stored["id"]]]
    np.testing.assert_allclose(stored[[f"probability/{name}" for name in CLASSES]], by_hand(folder, spectra), atol=1e-6)
    model = json.loads((folder / "shifted" / "model.json").read_text())
    assert model["format"] == 4 and model["evaluate_shifts"] == SHIFTS
    assert json.loads((folder / "plain" / "model.json").read_text())["format"] == 2


def test_a_run_without_them_is_applied_with_them(folder: Path, tmp_path: Path) -> None:
    survey = folder / "survey.npz"
    for name, more in {"plain": [GIVEN], "shifted": [], "off": ["evaluate_shifts=[]"]}.items():
        run_folder = folder / ("plain" if name == "plain" else "shifted")
        predict(run_folder, survey, tmp_path / f"{name}.parquet", *more)
    shifted, given, off = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("shifted", "plain", "off"))
    columns = [f"probability/{name}" for name in CLASSES]
    np.testing.assert_array_equal(given[columns], shifted[columns])
    assert given["predicted"].tolist() == shifted["predicted"].tolist()
    assert not np.allclose(off[columns], shifted[columns], atol=1e-3)
    data = "data=arrays", f"data.path={survey}", f"cache_dir={tmp_path / 'cache'}", "on=all"
    for name, more in {"shifted": (), "plain": (GIVEN,)}.items():
        evaluate(folder / name, *data, f"out={tmp_path / name}", *more)
    scores = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("shifted", "plain")]
    assert scores[0]["all/log_loss"] == scores[1]["all/log_loss"]


@pytest.mark.slow
def test_an_ensemble_keeps_them_and_needs_the_same_of_all(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"evaluate_shifts is \[\] of the first and \[-4, 0, 6\] of the second"):
        make_ensemble([folder / "shifted", folder / "plain"], tmp_path / "mixed", EnsembleOptions(select="all"))
    # Of other class priors: each member's mean is brought to the common one, not the mean of what was brought there.
    run([*data_of(folder), f"run_dir={tmp_path / 'second'}", *OVERRIDES, *SHORT, GIVEN, "seed=5", "sampler=balanced"])
    members = [folder / "shifted", tmp_path / "second"]
    make_ensemble(members, tmp_path / "both", EnsembleOptions(select="all"))
    runs, flux = [load_run(member, **ON_CPU) for member in members], arrays(num=9, seed=5)["flux"]
    both = load_run(tmp_path / "both", **ON_CPU)
    moved = [one.predict_proba(flux) * both.output_prior / one.output_prior for one in runs]
    assert not np.allclose(runs[0].output_prior, runs[1].output_prior)
    wanted = np.mean([part / part.sum(axis=1, keepdims=True) for part in moved], axis=0)
    np.testing.assert_allclose(both.predict_proba(flux), wanted, atol=1e-6)
    assert json.loads((tmp_path / "both" / "model.json").read_text())["evaluate_shifts"] == SHIFTS


@pytest.mark.slow
def test_a_run_can_begin_with_the_weights_of_one_that_has_them(folder: Path, tmp_path: Path) -> None:
    later = f"init={folder / 'shifted'}", "optimizer.lr=1e-12"
    run([*data_of(folder), f"run_dir={tmp_path / 'next'}", *OVERRIDES, *SHORT, *later])
    begun, given = (load_file(path / "best.safetensors") for path in (tmp_path / "next", folder / "shifted"))
    assert begun.keys() == given.keys()
    for name, values in given.items():
        np.testing.assert_allclose(begun[name], values, atol=1e-6)


@pytest.mark.parametrize("needs_validation", ["reject=0.2", pytest.param("priors=estimate", marks=pytest.mark.slow)])
def test_what_rests_on_validation_is_refused_next_to_other_shifts(
    folder: Path, tmp_path: Path, needs_validation: str
) -> None:
    out = tmp_path / "out.parquet"
    with pytest.raises(UserError, match=r"evaluate_shifts=\[-4, 0, 6\] is not that of the run"):
        predict(folder / "plain", folder / "survey.npz", out, GIVEN, needs_validation)
    predict(folder / "shifted", folder / "survey.npz", out, GIVEN, needs_validation)


@pytest.mark.slow
def test_next_to_other_shifts_nothing_is_said_of_validation(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was classified with the run's own shifts, and the probabilities differ."""
    content = arrays(num=200, seed=5)
    rows = np.flatnonzero(content["label"] == "qso")  # other class shares than on validation
    np.savez(tmp_path / "new.npz", **{name: a if name == "wave" else a[rows] for name, a in content.items()})
    for name, said in {"plain": False, "shifted": True}.items():
        predict(folder / name, tmp_path / "new.npz", tmp_path / f"{name}.parquet", GIVEN, "reject_below=0.5")
        assert ("validation" in capsys.readouterr().out) == said, name
        record = json.loads((tmp_path / f"{name}.parquet.json").read_text())
        assert (record["reject"]["kept"] is not None) == said and record["reject"]["probability"] == 0.5


def test_a_fits_table_made_with_other_shifts_says_so(folder: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", VerifyWarning)
        for name, given in {"plain": GIVEN, "shifted": "evaluate_shifts=[]"}.items():
            predict(folder / name, folder / "survey.npz", tmp_path / f"{name}.fits", given)
        headers = [fits.getheader(tmp_path / f"{name}.fits", 1) for name in ("plain", "shifted")]
    assert [header["SHIFTS"] for header in headers] == ["-4,0,6", "none"]


@pytest.mark.slow
def test_a_catalog_made_with_other_shifts_is_not_taken_for_this_one(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    predict(folder / "plain", folder / "survey.npz", out)
    with pytest.raises(UserError, match=r"made with evaluate_shifts=null: .*overwrite=true"):
        predict(folder / "plain", folder / "survey.npz", out, GIVEN)
    other = tmp_path / "other.parquet"
    predict(folder / "plain", folder / "survey.npz", other, GIVEN)
    with pytest.raises(UserError, match=r"made with evaluate_shifts=\[-4, 0, 6\]: .*overwrite=true"):
        predict(folder / "plain", folder / "survey.npz", other)


@pytest.mark.slow  # tracing takes seconds
def test_an_onnx_file_has_them_too(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    write_onnx(RunFolder(folder / "shifted"), tmp_path / "model.onnx")
    flux = arrays(num=9, seed=5)["flux"]
    np.testing.assert_allclose(
        load_run(tmp_path / "model.onnx").predict_proba(flux), by_hand(folder, flux), rtol=0, atol=LARGEST_DIFFERENCE
    )
    with pytest.raises(UserError, match="an ONNX file keeps those of its run"):
        predict(tmp_path / "model.onnx", folder / "survey.npz", tmp_path / "out.parquet", GIVEN)


@pytest.mark.parametrize("given", ["evaluate_shifts=[0,96]", "evaluate_shifts=[-96]"])
def test_a_shift_out_of_the_spectrum_is_one_sentence(folder: Path, given: str, tmp_path: Path) -> None:
    said = "evaluate_shifts has -?96, and the spectra have 96 pixels: give smaller numbers."
    with pytest.raises(UserError, match=said):
        run([*data_of(folder), f"run_dir={tmp_path / 'run'}", *OVERRIDES, *SHORT, given])
    with pytest.raises(UserError, match=said):
        evaluate(folder / "plain", given)
    assert not (tmp_path / "run" / "config.yaml").exists()
