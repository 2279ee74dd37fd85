"""The spectra that the report shows: their choice, and that their data are those of the survey and the run."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_runs import add_network, decoded, make_report, make_run, make_survey, make_trial

from spectral.survey import Survey
from sweeps.report.model import Report
from sweeps.report.options import Options
from sweeps.report.sections.spectra import section
from sweeps.report.spectra_choice import choose
from sweeps.report.spectra_codes import block_means, encoded, encoded_about_zero, runs, thin
from sweeps.report.spectral_lines import LINES
from sweeps.results.run import Run


def predictions(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Predictions from (true class, predicted class, its probability), for two classes a and b."""
    frame = pd.DataFrame(rows, columns=["label", "predicted", "confidence"])
    of_a = np.where(frame["predicted"] == "a", frame["confidence"], 1 - frame["confidence"])
    shown = frame.assign(id=[f"s{i}" for i in range(len(frame))], **{"probability/a": of_a, "probability/b": 1 - of_a})
    return shown.drop(columns="confidence")


def test_the_most_confident_mistakes_come_first_then_the_least_margins() -> None:
    frame = predictions([("a", "a", 0.6), ("a", "b", 0.7), ("b", "b", 0.55), ("b", "a", 0.9), ("a", "a", 0.99)])
    chosen = choose(frame, 4)
    assert list(chosen["id"]) == ["s3", "s1", "s2", "s0"]
    assert list(chosen["wrong"]) == [True, True, False, False]
    assert list(chosen["confidence"].round(4)) == [0.9, 0.7, 0.55, 0.6]
    assert list(chosen["margin"].round(4)) == [0.8, 0.4, 0.1, 0.2]


def test_a_common_class_does_not_crowd_out_a_rare_one() -> None:
    frame = predictions([("a", "b", 0.9)] * 50 + [("b", "a", 0.6)] * 3)
    chosen = choose(frame, 10)
    assert chosen["label"].value_counts().to_dict() == {"a": 7, "b": 3}


def test_a_fifth_of_the_shown_spectra_is_classified_correctly() -> None:
    frame = predictions([("a", "b", 0.9)] * 50 + [("b", "b", 0.6)] * 50)
    assert choose(frame, 10)["wrong"].sum() == 8
    assert choose(frame, 90)["wrong"].sum() == 50 and len(choose(frame, 90)) == 90
    assert len(choose(frame, 1000)) == 100 and choose(frame, 0).empty


def test_encoded_numbers_are_read_back() -> None:
    values = np.array([1.5e-17, -2e-17, np.nan, 3e-17])
    assert np.allclose(decoded(encoded(values)), values, atol=5e-17 / 65534, rtol=0, equal_nan=True)
    assert np.allclose(decoded(encoded(values, num_bytes=1), 1), values, atol=5e-17 / 254, rtol=0, equal_nan=True)
    assert list(decoded(encoded(np.full(3, 7.0)))) == [7, 7, 7]
    assert np.isnan(decoded(encoded(np.full(2, np.nan)))).all()
    assert decoded(encoded(np.array([1.0, 2.0, 1e30]), np.array([True, True, False])))[2] == 2  # clipped


def test_thinning_averages_good_pixels_and_their_errors() -> None:
    flux = np.array([[1.0, 3.0, 5.0, 100.0, 7.0, 9.0, 11.0]])
    ivar = np.array([[1.0, 0.25, 1.0, 1.0, 0.0, 0.0, 4.0]])
    mask = np.array([False, False, False, True, False, False, False])
    thinned = thin(flux, ivar, mask, 2)
    assert thinned.flux.tolist() == [[2.0, 5.0, 8.0, 11.0]]  # the third block has bad pixels alone
    assert thinned.masked.tolist() == [False, False, True, False]
    assert thinned.sigma is not None
    expected = [np.sqrt(1 + 4) / 2, 1.0, np.nan, 0.5]
    assert np.allclose(thinned.sigma[0], expected, equal_nan=True)
    assert list(block_means(np.arange(5.0), 2)) == [0.5, 2.5, 4.0]


def test_masked_pixels_are_given_as_intervals() -> None:
    assert runs(np.array([True, True, False, True])) == [[0, 2], [3, 4]]
    assert runs(np.array([False])) == []


def reported(run: Run, **options: Any) -> Report:
    return make_report(run.path, [make_trial(0, 0.6, runs=(run,))], options=Options(**{"saliency": False} | options))


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    mask = np.zeros((24, 200), dtype=bool)
    mask[1, 5:9] = True
    return make_survey(tmp_path / "survey", mask=mask)


def test_the_shown_values_are_those_of_the_survey_and_the_run(survey: Survey, tmp_path: Path) -> None:
    predicted = [(row + (row in (1, 4))) % 3 for row in range(24)]  # rows 1 and 4, galaxies, become qso
    run = make_run(tmp_path / "run", survey, predicted, [0.5 + row / 100 for row in range(24)])
    made = section(reported(run, max_spectra=5))
    assert made is not None and "5 of the 24 test spectra" in made.html and "2 of the 2 that it got wrong" in made.html
    data = made.data
    assert data["x"] == pytest.approx(np.linspace(3700, 9000, 200), abs=0.005)
    assert [spectrum["id"] for spectrum in data["spectra"]] == ["s004", "s001", "s000", "s002", "s003"]
    one = data["spectra"][1]
    assert {name: one[name] for name in ("label", "predicted", "wrong", "snr", "redshift", "masked")} == {
        "label": "galaxy",
        "predicted": "qso",
        "wrong": True,
        "snr": 2.0,
        "redshift": 0.1,
        "masked": [[5, 9]],
    }
    assert one["probability"] == pytest.approx([0.245, 0.245, 0.51], abs=1e-4)
    assert list(decoded(one["channels"][0]["flux"])[10:12]) == [101, 101]
    assert np.exp(decoded(one["channels"][0]["logError"], 1)[10]) == pytest.approx(2)
    assert "saliency" not in one["channels"][0]
    json.dumps(data, allow_nan=False)


def test_saliency_is_that_of_the_predicted_class(survey: Survey, tmp_path: Path) -> None:
    from spectral.inference.saliency import run_saliency

    run = make_run(tmp_path / "run", survey, [(row + 1) % 3 for row in range(24)], [0.5] * 24)
    add_network(run, survey)
    made = section(reported(run, max_spectra=3, saliency=True))
    assert made is not None
    for spectrum in made.data["spectra"]:
        expected = run_saliency(run.path, survey, np.array([int(spectrum["id"][1:])]), [spectrum["predicted"]])[0, 0]
        found = decoded(spectrum["channels"][0]["saliency"], 1)
        limit = np.quantile(np.abs(expected), 0.99)
        assert np.allclose(found, np.clip(expected, -limit, limit), rtol=0, atol=limit / 250)


def test_an_extreme_pixel_does_not_move_the_zero_of_the_saliency() -> None:
    values = np.linspace(-1, 1, 401)
    values[[7, 200]] = -1000.0, 0.0
    found = decoded(encoded_about_zero(values), 1)
    assert found[200] == 0 and found[7] == pytest.approx(-1, abs=0.02)
    rest = np.arange(401) != 7
    assert np.allclose(found[rest], values[rest], rtol=0, atol=0.02)
    assert np.array_equal(decoded(encoded_about_zero(np.array([0.0, np.nan, 0, 0])), 1), [0, np.nan, 0, 0], True)


def test_a_run_without_weights_is_shown_without_saliency(survey: Survey, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", survey, [0] * 24, [0.5] * 24)
    made = section(reported(run, saliency=True))
    assert made is not None and "No saliency is shown: run=" in made.html and not made.data["hasSaliency"]


def test_a_run_that_sees_no_scaled_flux_is_shown_without_saliency(survey: Survey, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", survey, [0] * 24, [0.5] * 24)
    add_network(run, survey, channel="snr")
    made = section(reported(run, saliency=True))
    assert made is not None and "No saliency is shown: inputs.channels of the run" in made.html
    assert not made.data["hasSaliency"]


def test_a_survey_without_wavelengths_errors_or_catalog_columns_is_shown(tmp_path: Path) -> None:
    flux = np.random.default_rng(0).normal(size=(6, 2, 50)).astype(np.float32)
    bare = make_survey(tmp_path / "s", 6, flux=flux, wave=None, ivar=None, snr=None, redshift=None)
    run = make_run(tmp_path / "run", bare, [0] * 6, [0.5] * 6)
    made = section(reported(run))
    assert made is not None
    data = made.data
    assert data["x"] == list(range(50)) and not data["inAngstrom"] and data["lines"] == []
    assert "redshift" not in made.html and "S/N" not in made.html and "Channel" in made.html
    first = data["spectra"][0]
    assert first["snr"] is None and [sorted(channel) for channel in first["channels"]] == [["flux"]] * 2
    row = int(first["id"][1:])
    assert np.allclose(decoded(first["channels"][1]["flux"]), flux[row, 1], atol=1e-3)


def test_long_spectra_are_thinned_and_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = make_survey(tmp_path / "s", 6, length=9001, wave=None)
    run = make_run(tmp_path / "run", survey, [0] * 6, [0.5] * 6)
    monkeypatch.setattr("sweeps.report.sections.spectra.MAX_BYTES", 60_000)
    made = section(reported(run))
    assert made is not None and "Each point is the mean of 3 pixels" in made.html
    assert len(made.data["x"]) == 3001 and len(made.data["spectra"]) == 3
    assert len(json.dumps(made.data["spectra"])) < 60_000


def test_a_missing_or_changed_pack_is_reported(survey: Survey, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", survey, [0] * 24, [0.5] * 24)
    content = json.loads((run.path / "result.json").read_text())
    content["survey"]["fingerprint"] = "another"
    (run.path / "result.json").write_text(json.dumps(content))
    made = section(reported(Run(run.path)))
    assert made is not None and "no longer where it read them" in made.html and made.data is None


def test_no_spectra_are_shown_without_a_run_or_if_none_are_asked_for(survey: Survey, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", survey, [0] * 24, [0.5] * 24)
    assert section(reported(run, max_spectra=0)) is None
    assert section(replace(reported(run), trials=[], best_first=[])) is None


def test_the_wavelengths_of_lines_are_those_of_nist_in_vacuum() -> None:
    """Air wavelengths of the NIST Atomic Spectra Database, brought to vacuum by Morton 1991 (ApJS 77, 119)."""
    air = {
        "H α": [6562.80],  # noqa: RUF001  # the line's own name
        "H β": [4861.33],
        "H γ": [4340.47],  # noqa: RUF001  # the line's own name
        "H δ": [4101.74],
        "Ca K, H": [3933.66, 3968.47],
        "Mg b": [5167.32, 5172.68, 5183.60],
        "Na D": [5889.95, 5895.92],
        "[O III]": [4958.91, 5006.84],
        "[O II]": [3726.03, 3728.82],
    }
    for name, places in air.items():
        in_air = np.array(places)
        wavenumber = 1e4 / in_air  # per micrometre
        vacuum = in_air * (1 + 6.4328e-5 + 2.94981e-2 / (146 - wavenumber**2) + 2.5540e-4 / (41 - wavenumber**2))
        assert LINES[name] == pytest.approx(vacuum, abs=0.04), name
