"""What the intervals of the summary are said to be over."""

from pathlib import Path
from typing import Any

import pytest
from report_studies import Made, make_report, predictions

from sweeps.report.sections import summary


@pytest.mark.parametrize(
    ("scores", "units"), [({}, "spectra"), ({"test/num_groups": 60}, "objects")], ids=["spectra", "objects"]
)
def test_intervals_are_said_to_be_over_what_is_resampled(scores: dict[str, Any], units: str, tmp_path: Path) -> None:
    table = predictions(300)
    if units == "objects":
        table = table.assign(group=[str(row // 5) for row in range(300)])
    runs = [{"result": {"test/macro_f1": 0.5, **scores}, "predictions": table}]
    trials = [Made({"x": k}, [k], was_enqueued=not k, runs=runs) for k in range(2)]
    page = summary.section(make_report(tmp_path / "study", trials)).html
    assert f"The intervals are of the finite number of {units} (bootstrap)" in page
    assert f"(paired bootstrap over the {units})" in page
