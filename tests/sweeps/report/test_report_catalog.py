"""S/N and redshift in the report if a source has them as text."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_runs import make_report, make_run, make_survey, make_trial

from sweeps.report.catalog import with_numbers
from sweeps.report.options import Options
from sweeps.report.sections import best_run, spectra

NUM = 240
MISSING = 7  # the row whose values are no numbers


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1.5, np.nan, 3.0]),
        np.array(["1.5", "NA", "3"], dtype=object),
        pd.array(["1.5", None, "3"], dtype="string"),
    ],
)
def test_what_is_no_number_is_missing(values: Any) -> None:
    catalog = pd.DataFrame({"id": list("abc"), "snr": values, "REDSHIFT": values}, index=[4, 5, 6])
    found = with_numbers(catalog)
    assert list(found["id"]) == list("abc")
    for name in ("snr", "REDSHIFT"):
        assert found[name].dtype == np.float64
        assert np.allclose(found[name], [1.5, np.nan, 3.0], equal_nan=True)


def test_a_column_with_one_text_leaves_out_that_spectrum_alone(tmp_path: Path) -> None:
    rows = np.arange(NUM)
    snr, redshift = ([text if row == MISSING else f"{row / 10}" for row in rows] for text in ("N/A", "-"))
    survey = make_survey(tmp_path / "survey", NUM, 50, snr=np.array(snr), redshift=np.array(redshift))
    assert not pd.api.types.is_numeric_dtype(survey.catalog["snr"])
    assert not pd.api.types.is_numeric_dtype(survey.catalog["redshift"])
    run = make_run(tmp_path / "run", survey, (rows % 3).tolist(), [0.5] * NUM)
    report = make_report(tmp_path, [make_trial(0, 0.6, runs=(run,))], options=Options(saliency=False))
    shown = spectra.section(report)
    assert shown is not None and shown.data["hasSnr"]
    found = {spectrum["id"]: (spectrum["snr"], spectrum["redshift"]) for spectrum in shown.data["spectra"]}
    assert found.pop(f"s{MISSING:03d}") == (None, None)
    assert found == {f"s{row:03d}": (row / 10, row / 10) for row in rows if row != MISSING}
    of_run = best_run.section(report)
    assert of_run is not None
    figures = {figure.name: figure.content for figure in of_run.figures}
    bins = [int(name.split("<br>")[1].split()[0]) for name in figures["best-snr"]["data"][0]["x"]]
    assert sum(bins) == NUM - 1
    hovers = [text for line in figures["best-redshift"]["data"] for text in line["text"]]
    assert sum(int(text.split(" of ")[1].split()[0]) for text in hovers) == NUM - 1
