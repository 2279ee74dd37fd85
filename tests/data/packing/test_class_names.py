"""Class names and their order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectral.configs import readers as _readers  # noqa: F401  (registers itself)
from spectral.configs.data import readers
from spectral.data.packing.class_names import order_class_names, with_given_names
from spectral.data.packing.pack import open_or_pack
from spectral.errors import UserError


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["qso", "galaxy", "star", "unknown", "star"], ["star", "unknown", "galaxy", "qso"]),
        (["qso", "star", None, float("nan")], ["star", "qso"]),
        (["QSO", "Unknown", "STAR", "Galaxy"], ["STAR", "Unknown", "Galaxy", "QSO"]),
        (["GALAXY", "QSO", "STAR"], ["STAR", "GALAXY", "QSO"]),
        (["star", "STAR", "qso"], ["STAR", "qso", "star"]),
        (["qso", "star", "nova"], ["nova", "qso", "star"]),
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["10", "9", "b", "a"], ["9", "10", "a", "b"]),
        ([None], []),
    ],
)
def test_classes_without_a_given_order_are_sorted(labels, names):
    assert order_class_names(labels) == names


@given(st.lists(st.text(min_size=1), min_size=1), st.randoms())
def test_the_sorted_order_depends_on_the_names_alone(labels, random):
    mixed = labels * 2
    random.shuffle(mixed)
    assert order_class_names(mixed) == order_class_names(labels)
    assert sorted(order_class_names(labels)) == sorted(set(labels))


def test_the_users_order_is_kept_with_classes_that_have_no_rows():
    assert order_class_names(["b", None], ["c", "b", "a"]) == ["c", "b", "a"]


def test_a_name_given_twice_is_one_sentence():
    with pytest.raises(UserError, match="a name more than once"):
        order_class_names(["star"], ["star", "star"])


def test_labels_are_the_users_names_whatever_their_capitals():
    labels, unlisted = with_given_names(
        pd.Series(["star", "Star", "QSO", None, "unknown", "B"]), ["STAR", "qso", "b", "B"]
    )
    assert labels.fillna("-").tolist() == ["STAR", "STAR", "qso", "-", "-", "B"]
    assert unlisted.tolist() == [False] * 4 + [True, False]


def packing_warnings(tmp_path, caplog, labels, **options):
    np.savez(tmp_path / "survey.npz", flux=np.ones((len(labels), 8), np.float32), label=labels)
    typed = readers.typed({"name": "arrays", "path": str(tmp_path / "survey.npz"), "num_workers": 1, **options})
    survey = open_or_pack(readers.build(typed), typed, tmp_path / "cache", progress=False)
    return list(survey.class_names), [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]


def test_classes_that_differ_in_capitals_or_spaces_alone_are_warned_of(tmp_path, caplog):
    labels = ["Calcite", "calcite", "alpha quartz", "alpha\u00a0quartz", "talc"]
    names, warnings = packing_warnings(tmp_path, caplog, labels)
    capitals, spaces = sorted(warnings)
    assert (
        len(names) == 5 and "'Calcite' and 'calcite' differ in capitals or spaces alone: write them alike" in capitals
    )
    assert r"'alpha quartz' and 'alpha\xa0quartz' differ in capitals or spaces alone: write them alike" in spaces


def test_a_class_that_is_called_as_missing_labels_are_is_warned_of(tmp_path, caplog):
    names, warnings = packing_warnings(tmp_path, caplog, ["Calcite", "NA", "talc", "NA", "", "n/a"])
    assert names == ["Calcite", "NA", "n/a", "talc"] and warnings == [
        "2 spectra have the label NA, a class of its own: a missing label is blank.",
        "1 spectrum has the label n/a, a class of its own: a missing label is blank.",
    ]


def test_given_names_join_capitals_without_a_warning(tmp_path, caplog):
    labels = ["Calcite", "calcite", "talc"]
    assert packing_warnings(tmp_path, caplog, labels, class_names=["Calcite", "talc"]) == (["Calcite", "talc"], [])


def test_ordinary_names_are_not_warned_of(tmp_path, caplog):
    labels = ["alpha quartz", "beta quartz", "quartz", "1", "10"]
    assert packing_warnings(tmp_path, caplog, labels)[1] == []
