"""Which column is the label, if several could be it."""

import pandas as pd
import pytest

from spectral.data.readers.arrays.opening import open_arrays

LABELS = ["calcite", "quartz"]


def saved(folder, suffix="csv", **columns):
    path = folder / f"survey.{suffix}"
    frame = pd.DataFrame({**{f"p{i}": [0.5, 1.5] for i in range(8)}, **columns})
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    return str(path)


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_two_columns_that_could_be_the_label_are_warned_of(tmp_path, caplog, suffix):
    path = saved(tmp_path, suffix, **{"class": LABELS, "type": ["powder", "crystal"]})
    open_arrays(path).catalog()
    sentence = "type is taken for the label, class could be it too: data.label_key=class."
    assert warnings_of(caplog) == [f"data.path={path}: {sentence}"]


def test_a_coordinate_y_is_warned_of_alone_and_not_next_to_a_label(tmp_path, caplog):
    open_arrays(saved(tmp_path, x=1.0, y=2.0, mineral=LABELS)).catalog()
    (message,) = warnings_of(caplog)
    assert "y is taken for the label, and stands next to x: data.label_key=NAME names another." in message
    caplog.clear()
    open_arrays(saved(tmp_path, x=1.0, y=2.0, label=LABELS)).catalog()
    assert not warnings_of(caplog)


@pytest.mark.parametrize(
    ("columns", "options"),
    [(["class"], {}), (["y"], {}), (["class", "type"], {"label_key": "type"}), (["x", "y"], {"label_key": "y"})],
)
def test_a_label_that_is_not_in_doubt_is_not_warned_of(tmp_path, caplog, columns, options):
    open_arrays(saved(tmp_path, **dict.fromkeys(columns, LABELS)), **options).catalog()
    assert not warnings_of(caplog)


@pytest.mark.parametrize("key", ["group_key", "id_key"])
@pytest.mark.parametrize("more", [{}, {"class": LABELS}])
def test_a_column_with_another_role_is_not_said_to_be_the_label(tmp_path, caplog, key, more):
    open_arrays(saved(tmp_path, target=["ngc 1", "ngc 2"], **more), **{key: "target"}).catalog()
    assert not warnings_of(caplog)
