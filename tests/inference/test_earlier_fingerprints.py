"""Data of a run that an earlier version made: its fingerprint did not see the wavelengths."""

from pathlib import Path

import pytest
from run_folders import BEFORE, NOW, dataset_of, scored_run

from spectral.inference.other_split import doubt_of_split
from spectral.inference.run_and_data import is_own_survey

OTHER = "of other data"


@pytest.mark.parametrize(("fingerprint", "is_same"), [(NOW, True), (BEFORE, True), (OTHER, False)])
def test_it_is_known_as_the_same(fingerprint: str, is_same: bool, tmp_path: Path) -> None:
    run, dataset = scored_run(tmp_path, fingerprint, validation="bc"), dataset_of(validation="ab", train="cd")
    assert is_own_survey(run, dataset.survey) == is_same
    assert doubt_of_split("init=x", run, dataset).startswith("init=x has another split") == is_same
