"""What stands in the file of `spectral.predict`: ids, formats, entropy, thresholds and class shares."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from applied_runs import NUM, SMALL_PARTS, hidden, predict, with_bad_spectra
from astropy.table import Table
from small_runs import CLASSES, arrays

from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.runs.folder import RunFolder


def test_ids_of_64_bits_are_exact_in_every_format(finished: Path, spectra: Callable[..., Path], tmp_path: Path) -> None:
    ids = 39_627_322_701_128_671 + np.arange(NUM, dtype=np.int64)
    fiber = 2**62 + np.arange(NUM, dtype=np.int64)
    data = spectra(id=ids, fiber=fiber)
    expected = [str(value) for value in ids]
    predict(finished, data, tmp_path / "cat.csv", "keep_columns=true")
    predict(finished, data, tmp_path / "cat.parquet", "keep_columns=true")
    predict(finished, data, tmp_path / "cat.fits", "keep_columns=true")
    csv = pd.read_csv(tmp_path / "cat.csv", dtype={"id": str})
    tables = [csv, pd.read_parquet(tmp_path / "cat.parquet"), Table.read(tmp_path / "cat.fits")]
    for table in tables:
        assert [str(value) for value in table["id"]] == expected
        assert [int(value) for value in table["fiber"]] == fiber.tolist()


@pytest.mark.slow
def test_whole_numbers_stay_exact_in_csv_if_some_are_missing(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    fiber = pd.Series(2**62 + np.arange(NUM), dtype="Int64").mask(np.arange(NUM) == 1)
    pd.DataFrame({"flux": list(arrays(NUM)["flux"]), "fiber": fiber}).to_parquet(tmp_path / "new.parquet")
    predict(finished, tmp_path / "new.parquet", tmp_path / "cat.csv", "keep_columns=true", *SMALL_PARTS)
    written = pd.read_csv(tmp_path / "cat.csv", dtype=str)["fiber"]
    assert written.isna().tolist() == (np.arange(NUM) == 1).tolist()
    assert written.dropna().tolist() == [str(value) for value in fiber.dropna()]


def test_a_fits_table_holds_what_the_parquet_file_does(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    content = with_bad_spectra() | {"snr": np.where(np.arange(NUM) == 4, np.nan, np.arange(NUM) / 2)}
    data = spectra(**content)
    for name in ("cat.fits", "cat.parquet"):
        predict(finished, data, tmp_path / name, "keep_columns=true", "reject_below=0.9", *SMALL_PARTS)
    fits, parquet = Table.read(tmp_path / "cat.fits"), pd.read_parquet(tmp_path / "cat.parquet")
    assert (tmp_path / "cat.fits").stat().st_size % 2880 == 0
    assert fits.colnames == [name.replace("/", "_") for name in parquet]
    for name in parquet:
        found, expected = fits[name.replace("/", "_")], parquet[name]
        if expected.dtype.kind == "f":
            np.testing.assert_array_equal(np.ma.filled(found, np.nan), expected.to_numpy())
        else:
            assert [str(value) for value in np.ma.filled(found, "")] == [str(v) for v in expected.fillna("")], name
    about = json.loads(pq.read_schema(tmp_path / "cat.parquet").metadata[b"spectral"])
    assert about["run"] == str(finished) and about["version"].startswith("spectral-sweeps ")
    for key in ("run", "model", "data", "version"):
        assert fits.meta[key.upper()] == about[key]


@pytest.mark.slow
def test_columns_of_the_data_that_are_called_as_those_of_the_file_are_kept_apart(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    """As a catalog has them that was classified before, and as a pack calls its own."""
    own = {name: np.array([f"{name} {row}" for row in range(NUM)]) for name in ("predicted", "problem", "length")}
    own |= {"class_index": 100 + np.arange(NUM), "entropy": np.arange(NUM) / 2, "probability/star": np.arange(NUM) / 4}
    data = spectra(**own)
    predict(finished, data, tmp_path / "cat.parquet", "keep_columns=true")
    table = pd.read_parquet(tmp_path / "cat.parquet")
    for name, values in own.items():
        assert table[f"{name}_in_source"].tolist() == values.tolist(), name
    assert set(table["predicted"]) <= set(CLASSES) and table["problem"].isna().all()
    predict(finished, data, tmp_path / "cat.csv", "keep_columns=[entropy,predicted_in_source]")  # it has no entropy
    csv = pd.read_csv(tmp_path / "cat.csv")
    assert list(csv) == ["id", "predicted", "problem", "entropy", "predicted_in_source"]
    assert csv["entropy"].tolist() == own["entropy"].tolist()
    assert csv["predicted"].tolist() == table["predicted"].tolist()
    predict(finished, data, tmp_path / "all.csv", "keep_columns=true")
    assert pd.read_csv(tmp_path / "all.csv")["probability/star"].tolist() == own["probability/star"].tolist()


def test_the_entropy_is_that_of_the_probabilities(finished: Path, spectra: Callable[..., Path], tmp_path: Path) -> None:
    predict(finished, spectra(), tmp_path / "cat.parquet")
    table = pd.read_parquet(tmp_path / "cat.parquet")
    p = table[[f"probability/{name}" for name in CLASSES]].to_numpy(np.float64)
    np.testing.assert_allclose(table["entropy"], -(p * np.log(np.maximum(p, 1e-300))).sum(1), atol=1e-5)


def test_a_threshold_is_set_for_a_precision_on_validation(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predict(finished, spectra(), tmp_path / "cat.parquet", "reject=0.95")
    record = json.loads((tmp_path / "cat.parquet.json").read_text())
    frame = pd.read_parquet(finished / "predictions.parquet")
    frame = frame[frame["split"] == "validation"]
    confidence = np.array([row[f"probability/{row['predicted']}"] for _, row in frame.iterrows()], np.float32)
    is_right = (frame["predicted"] == frame["label"]).to_numpy()
    threshold = np.float32(record["reject"]["probability"])
    assert is_right[confidence >= threshold].mean() == pytest.approx(record["reject"]["precision"]) and (
        record["reject"]["precision"] >= 0.95
    )
    lower = [value for value in confidence if value < threshold]
    assert all(is_right[confidence >= value].mean() < 0.95 for value in lower)
    table = pd.read_parquet(tmp_path / "cat.parquet")
    chosen = np.array([row[f"probability/{row['predicted']}"] for _, row in table.iterrows()], np.float32)
    np.testing.assert_array_equal(table["rejected"], chosen < threshold)
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(rf"on validation {(confidence >= threshold).sum()} are kept \(.* %\), .* % of them right", shown)


def test_given_class_shares_re_weight_the_probabilities(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, classifier = spectra(), Classifier.load(RunFolder(finished))
    predict(finished, data, tmp_path / "raw.parquet")
    capsys.readouterr()
    predict(finished, data, tmp_path / "cat.parquet", "priors={qso: 0.9, star: 0.1, galaxy: 0}")
    names = [f"probability/{name}" for name in CLASSES]
    raw, moved = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("raw", "cat"))
    weighted = raw[names].to_numpy(np.float64) * np.array([0.1, 0.0, 0.9]) / np.array(classifier.output_prior)
    np.testing.assert_allclose(moved[names], weighted / weighted.sum(1, keepdims=True), atol=1e-5)
    assert "galaxy" not in set(moved["predicted"])
    assert (moved["predicted"] == "qso").sum() >= (raw["predicted"] == "qso").sum()
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(r"priors on validation, \d+ spectra: macro-F1 \d\.\d+ before, \d\.\d+ after; weighted to", shown)


def test_shares_far_from_validation_are_warned_of(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of validation are stars; of this data all are quasars."""
    content = arrays(num=4 * NUM, seed=5)
    rows = np.flatnonzero(content["label"] == "qso")
    predict(finished, spectra(**{n: a if n == "wave" else a[rows] for n, a in content.items()}), tmp_path / "cat.csv")
    shown = " ".join(capsys.readouterr().out.split())
    assert "Note: Predicted classes have other shares than on the run's validation:" in shown and "qso" in shown
    predict(finished, spectra(), tmp_path / "usual.csv")
    assert "other shares" not in capsys.readouterr().out


def test_an_id_that_two_spectra_have_keeps_both_rows(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader refuses such an array, so the catalog is changed after it."""
    from spectral.prediction import source

    with_text = source.with_text
    monkeypatch.setattr(source, "with_text", lambda c: with_text(c.assign(id=c["id"].replace("s004", "s003"))))
    predict(finished, spectra(), tmp_path / "cat.csv")
    assert pd.read_csv(tmp_path / "cat.csv")["id"].tolist()[2:6] == ["s002", "s003", "s003", "s005"]
    assert "The id s003" in json.loads((tmp_path / "cat.csv.json").read_text())["notes"][0]
    with pytest.raises(UserError, match="The id s003 is in the data more than once"):
        predict(finished, spectra(), tmp_path / "no.csv", "on_bad=error")


def test_class_shares_cannot_be_estimated_if_no_spectrum_has_a_class(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    flux = np.full_like(arrays(NUM)["flux"], np.nan)
    with pytest.raises(UserError, match="priors=estimate needs spectra with a class, and none has one"):
        predict(finished, spectra(flux=flux), tmp_path / "cat.csv", "priors=estimate")
    assert not (tmp_path / "cat.csv").exists()
    predict(finished, spectra(flux=flux), tmp_path / "cat.csv")
    assert pd.read_csv(tmp_path / "cat.csv")["problem"].str.startswith("flux not finite").all()


def test_a_run_without_validation_predictions_is_applied_but_cannot_set_a_threshold(
    finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(finished, bare)
    (bare / "predictions.parquet").unlink()
    predict(bare, spectra(), tmp_path / "cat.csv", "reject_below=0.9")
    with pytest.raises(UserError, match="reject needs the run's validation predictions"):
        predict(bare, spectra(), tmp_path / "no.csv", "reject=0.9")
    with pytest.raises(UserError, match="priors needs the run's validation predictions, to fit decision=macro_f1"):
        predict(bare, spectra(), tmp_path / "no.csv", "priors=estimate")
    content = json.loads((finished / "model.json").read_text())
    (bare / "model.json").write_text(json.dumps(content | {"output_prior": None}))
    with pytest.raises(UserError, match="priors needs output_prior"):
        predict(bare, spectra(), tmp_path / "no.csv", "priors=estimate")
    assert hidden(tmp_path) == []
