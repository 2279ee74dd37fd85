"""The fingerprint that a run writes down, as a study finds it in the run's folder."""

import json
from pathlib import Path

import pytest
import small_runs
from small_runs import Overrides, StoppedError, stop_after

from sweeps.results.trial_fingerprints import fingerprints_of


def test_a_run_that_was_ended_early_names_its_data_as_one_that_ended_does(small: Overrides, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        small_runs.run(small(), on_epoch=stop_after(1))
    early = fingerprints_of([tmp_path / "run"])
    small_runs.run(small())
    fingerprint = json.loads((tmp_path / "run" / "result.json").read_text())["survey"]["fingerprint"]
    assert early == fingerprints_of([tmp_path / "run"]) == [fingerprint]


@pytest.mark.parametrize("content", [None, "{", "[1]", "{}"])
def test_a_folder_that_names_no_data_has_no_fingerprint(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "data.json").write_text(content)
    assert fingerprints_of([tmp_path, tmp_path / "absent"]) == []
