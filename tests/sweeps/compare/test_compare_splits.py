"""Which splits of two runs `sweeps.compare` pairs, and what it says of the others."""

import json
from pathlib import Path

import pandas as pd
import pytest
from compared_runs import LABELS, make_run, predicted, shown


def add_test_split(run: Path) -> None:
    """The same spectra in every run, all right."""
    test = pd.DataFrame({"id": [f"t{row}" for row in range(len(LABELS))], "split": "test", "label": LABELS})
    stored = pd.read_parquet(run / "predictions.parquet")
    pd.concat([stored, test.assign(predicted=LABELS)]).to_parquet(run / "predictions.parquet")
    result = json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps(result | {"test/macro_f1": 1.0}))


@pytest.mark.parametrize("first_id", [0, 1])
def test_a_split_whose_spectra_differ_is_named(
    first_id: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = make_run(tmp_path / "a", predicted(5)), make_run(tmp_path / "b", predicted(4), first_id=first_id)
    for run in (one, two):
        add_test_split(run)
    output = shown(capsys, one, two)
    sentence = f"{two} and {one}: no paired difference on validation, whose spectra are not the same."
    assert (sentence in output.splitlines()) == (first_id == 1)
    assert "test/macro_f1 of" in output and "difference on test" not in output
