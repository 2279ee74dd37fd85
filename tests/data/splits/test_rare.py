"""The sentence on a class that is too rare for a split: how many it has, and the keys that settle it."""

from typing import Any

import pytest

from spectral.configs import readers as _readers  # noqa: F401  (registers itself)
from spectral.configs import survey_files as _survey_files  # noqa: F401  (registers itself)
from spectral.configs.data import readers
from spectral.configs.split import splits
from spectral.data.splits.rare import rare_class, settled

PARTS = ["train", "validation", "test"]
NAMES = ["star", "unknown", "galaxy", "qso"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (("unknown", 1, False, PARTS, "stratified"), "1 labelled spectrum, too few for the 3 parts train, validation"),
        (("unknown", 1, False, PARTS, "stratified"), "test: more of them are needed."),
        (("unknown", 1, True, PARTS, "stratified"), "has 1 labelled spectrum or group, too few"),
        (("unknown", 2, True, PARTS, "stratified"), "has 2 labelled spectra or groups, too few"),
        (("unknown", 2, False, PARTS, "stratified"), "more of them are needed, or fewer parts by split.test=0."),
        (("unknown", 1, False, PARTS[:2], "given"), "validation: more of them are needed."),
        (("unknown", 4, False, ["fold 0", "fold 1", "fold 2", "fold 3", "test"], "kfold"), "by split.num_folds=3."),
        ((None, 2, False, PARTS, "random"), "The survey has 2 labelled spectra, too few"),
    ],
)
def test_the_number_and_fewer_parts_are_named(given: tuple[Any, ...], sentence: str) -> None:
    assert sentence in str(rare_class(*given[:4], splits.typed(given[4])))


@pytest.mark.parametrize(
    ("data", "class_name", "ending"),
    [
        ("sdss", "unknown", "are needed; 'data.class_map={unknown: null}' leaves its labels out."),
        ("sdss", "qso", "are needed; 'data.class_map={qso: null, quasar: null}' leaves its labels out."),
        ("arrays", "qso", "; 'data.class_names=[star,unknown,galaxy]' and data.on_bad=skip leaves it out."),
        ("packed", "qso", "; packing it again with 'data.class_names=[star,unknown,galaxy]' and data.on_bad=skip"),
    ],
)
def test_keys_of_the_data_that_leave_the_class_out_are_named(data: str, class_name: str, ending: str) -> None:
    error = rare_class(class_name, 1, False, PARTS, splits.typed("stratified"))
    path = {"arrays": {"path": __file__}, "packed": {"folder": "."}, "sdss": {"folder": "."}}[data]
    assert ending in str(settled(error, readers.typed({"name": data, **path}), NAMES))


@pytest.mark.parametrize("class_name", ["1", "O'Neill", "null"])
def test_a_class_that_no_mapping_can_be_given_for_is_left_out_by_a_list_of_the_others(class_name: str) -> None:
    error = rare_class(class_name, 1, False, PARTS, splits.typed("stratified"))
    found = str(settled(error, readers.typed({"name": "sdss", "folder": "."}), ["2", "star", class_name]))
    assert found.endswith("""; 'data.class_names=["2",star]' and data.on_bad=skip leaves it out.""")


def test_no_class_is_left_out_where_one_would_remain() -> None:
    error = rare_class("qso", 1, False, PARTS, splits.typed("stratified"))
    assert settled(error, readers.typed("simulated"), ["star", "qso"]) is error
