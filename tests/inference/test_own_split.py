"""A run is not scored on spectra that it was trained on, since its data is divided otherwise by now."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from run_folders import dataset_of, scored_run

from spectral.errors import UserError
from spectral.inference.own_split import check_own_split

REFUSED = "are divided otherwise than when it was trained: give the cache_dir that it had then, or put"


@pytest.mark.parametrize(
    ("validation", "now", "is_refused"),
    [
        ("ab", {"train": "cd", "validation": "ab", "test": "e"}, False),
        ("ab", {"train": "cdf", "validation": "abg", "test": "eh"}, False),  # with spectra that were appended
        ("ab", {"train": "cd", "validation": "a", "test": "e"}, False),  # without one that is gone
        ("ab", {"train": "bc", "validation": "ad", "test": "e"}, True),
        ("ab", {"train": "cd", "validation": "ae", "test": "b"}, True),
        ("", {"train": "ab", "test": "cde"}, False),  # split.validation=0
        ("", {"train": "abe", "test": "cd"}, True),
        ("ab", {"train": "ce", "validation": "ab", "test": "d"}, True),
    ],
)
def test_a_spectrum_that_scored_a_run_is_not_in_training_and_validates_it_still(
    validation: str, now: dict[str, str], is_refused: bool, tmp_path: Path
) -> None:
    run = scored_run(tmp_path, validation=validation, test="e")
    with pytest.raises(UserError, match=REFUSED) if is_refused else nullcontext():
        check_own_split(run, dataset_of(**now))


def test_of_the_folds_of_an_ensemble_none_may_be_in_the_test_split(tmp_path: Path) -> None:
    run = scored_run(tmp_path, validation="abcd")
    content = json.loads(run.result.read_text())
    run.result.write_text(json.dumps(content | {"ensemble": {"out_of_fold": True}}))
    check_own_split(run, dataset_of(train="cd", validation="ab", test="e"))
    with pytest.raises(UserError, match=REFUSED):
        check_own_split(run, dataset_of(train="c", validation="ab", test="de"))


def test_a_run_that_kept_no_predictions_is_not_refused(tmp_path: Path) -> None:
    run = scored_run(tmp_path, validation="ab")
    run.predictions.unlink()
    check_own_split(run, dataset_of(train="ab", test="c"))
