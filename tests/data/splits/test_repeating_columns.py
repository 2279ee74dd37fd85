"""The question whether a column that repeats names the objects of a survey."""

import logging

import numpy as np
import pandas as pd
import pytest

from spectral.data.splits.objects import warn_of_repeats


def asked(caplog: pytest.LogCaptureFixture, name: str, num_objects: int, num_each: int) -> list[str]:
    """Warnings of a catalog of objects with spectra of two classes each."""
    num = num_objects * num_each
    label = pd.Series(np.resize(["N", "V", "V"], num), dtype="str")
    catalog = pd.DataFrame({"label": label, name: np.repeat([f"p{i}" for i in range(num_objects)], num_each)})
    warn_of_repeats(catalog)
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("name", "num_objects", "num_each"), [("Patient", 12, 10), ("subject_id", 3, 200), ("RECORD", 50, 3)]
)
def test_a_column_that_is_called_an_object_is_asked_about_whatever_its_labels(
    caplog: pytest.LogCaptureFixture, name: str, num_objects: int, num_each: int
) -> None:
    (sentence,) = asked(caplog, name, num_objects, num_each)
    assert f"The column '{name}' repeats: {num_objects} values for {num_objects * num_each} spectra." in sentence
    assert f"data.group_key={name} keeps" in sentence


@pytest.mark.parametrize(("name", "num_objects", "num_each"), [("night", 12, 10), ("star", 2, 60), ("patient", 60, 1)])
def test_other_names_kinds_of_star_and_objects_of_one_spectrum_are_not(
    caplog: pytest.LogCaptureFixture, name: str, num_objects: int, num_each: int
) -> None:
    assert asked(caplog, name, num_objects, num_each) == []
