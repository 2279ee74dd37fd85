"""No column is taken for what it is not: what stands in headers, indexes, ids and labels is never flux."""

import logging

import numpy as np
import pandas as pd
import pytest
from pixel_tables import FLUX, GRID, LABELS, LENGTH, NUM, check_flux, saved, table

from spectral.configs.data import readers
from spectral.data.packing.class_names import order_class_names
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("extra", [{"Unnamed: 0": np.arange(NUM)}, {"sample_id": np.arange(NUM)}, {"height": 1.5}])
@pytest.mark.parametrize("names", [None, GRID], ids=["words", "numbers"])
def test_a_column_of_another_form_is_not_flux(tmp_path, suffix, extra, names):
    check_flux(open_arrays(saved(tmp_path, table(names, label=LABELS, **extra), suffix)))


def test_the_index_of_pandas_is_not_flux(tmp_path, caplog):
    path = saved(tmp_path, table(GRID, **{"class": LABELS}), index=True)
    with caplog.at_level(logging.INFO):
        check_flux(open_arrays(path))
    assert "flux: 16 columns 4000.5 to 4030.5, label: class, id: none, rows are numbered, left out: " in caplog.text


def test_an_index_under_a_blank_name_over_numbers_alone_is_a_header(tmp_path):
    frame = table(GRID)
    frame.index = range(NUM)
    check_flux(open_arrays(saved(tmp_path, frame, index=True)))


def test_what_each_column_was_taken_for_is_logged(tmp_path, caplog):
    path = saved(tmp_path, table(GRID, kind=LABELS, height=1.5, sample_id=np.arange(NUM)))
    with caplog.at_level(logging.INFO):
        catalog = open_arrays(path, label_key="kind").catalog()
    said = "flux: 16 columns 4000.5 to 4030.5, id: sample_id, label: kind, other columns: height."
    assert f"data.path={path}: {said}" in caplog.messages
    assert catalog["id"].tolist() == [str(i) for i in range(NUM)] and catalog["height"].eq(1.5).all()


def test_a_sample_that_repeats_is_not_taken_for_an_id(tmp_path):
    catalog = open_arrays(saved(tmp_path, table(label=LABELS, sample_id=np.arange(NUM) // 3))).catalog()
    assert catalog["id"].tolist() == [str(i) for i in range(NUM)]
    assert catalog["sample_id"].tolist() == [str(i // 3) for i in range(NUM)]


def test_channels_end_to_end_are_warned_of(tmp_path, caplog):
    half = range(LENGTH // 2)
    leads = [*(f"I_{i}" for i in half), *(f"II_{i}" for i in half)]
    plain = [f"p{i}" for i in range(LENGTH)]
    for names, num in ((leads, 1), (plain, 0)):
        caplog.clear()
        path = saved(tmp_path, table(names, label=LABELS))
        check_flux(open_arrays(path, flux_columns=[names[0], names[-1]]))
        said = [message for message in caplog.messages if "look like 2 channels of 8, and are read as one" in message]
        assert len(said) == num


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_that_may_be_flux_or_not_are_asked_about(tmp_path, suffix):
    frame = pd.DataFrame({"label": LABELS, "height": 1.0, "weight": 2.0, "age": 3.0})
    path = saved(tmp_path, frame, suffix)
    with pytest.raises(UserError, match=r"which columns are flux \(height, weight, age\): .*data.flux_columns=\["):
        open_arrays(path).catalog()
    chunk = open_arrays(path, flux_columns=["weight", "age"]).read(np.array([0]))
    np.testing.assert_array_equal(chunk.flux[0], [[2, 3]])
    chunk = open_arrays(path, extra=["height"]).read(np.array([0]))
    np.testing.assert_array_equal(chunk.flux[0], [[2, 3]])


def test_what_extra_does_not_name_is_not_flux_either(tmp_path):
    check_flux(open_arrays(saved(tmp_path, table(height=1.5, sample_id=1, age=2)), extra=["height"]))
    frame = pd.DataFrame({"height": [1.0], "weight": [2.0], "age": [3.0], "obs_id": [7]})
    chunk = open_arrays(saved(tmp_path, frame), extra=["height"]).read(np.array([0]))
    np.testing.assert_array_equal(chunk.flux[0], [[2, 3]])


def test_arrays_and_lists_that_are_not_used_are_named(tmp_path, caplog):
    np.savez(tmp_path / "survey.npz", flux=FLUX, label=LABELS, continuum=FLUX, snr=FLUX[:, 0])
    pd.DataFrame({"flux": list(FLUX), "label": LABELS, "sky": list(FLUX)}).to_parquet(tmp_path / "survey.parquet")
    with caplog.at_level(logging.INFO):
        open_arrays(str(tmp_path / "survey.npz")).catalog()
        open_arrays(str(tmp_path / "survey.parquet")).catalog()
    assert (
        "flux: flux [12, 16], label: label, snr: snr, id: none, rows are numbered, left out: continuum." in caplog.text
    )
    assert "flux: the lists in flux, label: label, id: none, rows are numbered, left out: sky." in caplog.text


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["label", "p3"], r"flux_columns=\['label', 'p3'\] has the column 'label' in it"),
        (["p3", "p1"], "ends before it begins"),
        (["p3", "p99"], r"no column 'p99' \(data.flux_columns\)"),
    ],
)
def test_flux_columns_that_cannot_be_are_refused(tmp_path, columns, sentence):
    with pytest.raises(UserError, match=sentence):
        open_arrays(saved(tmp_path, table(label=LABELS)), flux_columns=columns).catalog()


def test_flux_columns_are_two_names():
    with pytest.raises(UserError, match="must be two names"):
        readers.typed({"name": "arrays", "flux_columns": ["a"]})


def test_an_axis_over_other_numbers_is_asked_about(tmp_path):
    path = saved(tmp_path, table(GRID, spectrum=np.arange(NUM)))
    with pytest.raises(UserError, match=r"data\.header=true takes its first line for a header"):
        open_arrays(path).catalog()
    check_flux(open_arrays(path, header=True))
    assert len(open_arrays(path, header=False).read(np.arange(13)).flux) == 13


@pytest.mark.parametrize("first", [FLUX[:, 0], np.arange(NUM) + 100], ids=["flux", "index"])
def test_a_first_column_without_a_header_that_is_no_label_is_refused(tmp_path, first):
    frame = pd.DataFrame(np.column_stack([first, FLUX]))
    with pytest.raises(UserError, match="has no header, and its first column, which should be the label, h"):
        open_arrays(saved(tmp_path, frame, header=False)).catalog()


def test_a_comma_in_quotes_is_part_of_the_label(tmp_path):
    reader = open_arrays(saved(tmp_path, table(label=LABELS)))
    assert reader.catalog()["label"].tolist() == LABELS
    check_flux(reader)


def test_a_quote_that_is_not_closed_is_refused(tmp_path):
    (tmp_path / "survey.csv").write_text('label,p0,p1\n"star,1,2\nqso,3,4\n')
    with pytest.raises(UserError, match='a quote that is not closed in the line "star,1,2'):
        open_arrays(str(tmp_path / "survey.csv")).catalog()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_whole_labels_have_one_name_in_every_form(tmp_path, suffix):
    path = saved(tmp_path, table(label=np.array([1.0, 10.0, 2.0] * 4)), suffix)
    labels = open_arrays(path).catalog()["label"]
    assert labels.tolist() == ["1", "10", "2"] * 4 and order_class_names(labels) == ["1", "2", "10"]


def test_labels_with_decimals_stand_in_numeric_order():
    assert order_class_names(["10.5", "2.5", "-1", "b", "a"]) == ["-1", "2.5", "10.5", "a", "b"]


def test_a_column_twice_is_refused(tmp_path):
    frame = table(label=LABELS)
    frame.insert(0, "label", LABELS, allow_duplicates=True)
    with pytest.raises(UserError, match="has the column 'label' more than once"):
        open_arrays(saved(tmp_path, frame)).catalog()


class TestSeparators:
    def test_two_numbers_in_a_field_are_a_bad_row(self, tmp_path):
        (tmp_path / "survey.csv").write_text("label,p0,p1\nstar,1 2,3\n")
        problems = open_arrays(str(tmp_path / "survey.csv")).read(np.array([0])).problems
        assert problems == {0: "several numbers in one field"}

    def test_lines_without_newlines_are_refused(self, tmp_path):
        (tmp_path / "survey.csv").write_bytes(b"label,p0,p1\rstar,1,2\rqso,3,4\r")
        with pytest.raises(UserError, match="end in a carriage return alone"):
            open_arrays(str(tmp_path / "survey.csv")).catalog()

    def test_white_space_of_any_length(self, tmp_path):
        lines = "".join("   " + "  ".join(f"{v:.7e}" for v in [i % 3, *FLUX[i]]) + "\n" for i in range(NUM))
        (tmp_path / "survey.tsv").write_text(lines)
        reader = open_arrays(str(tmp_path / "survey.tsv"))
        assert reader.catalog()["label"].tolist() == ["0", "1", "2"] * 4
        np.testing.assert_allclose(np.concatenate(reader.read(np.arange(NUM)).flux), FLUX, rtol=1e-6)

    def test_semicolons_with_decimal_commas(self, tmp_path):
        path = saved(tmp_path, table(GRID, label=LABELS, snr=np.arange(NUM) / 4), sep=";", decimal=",")
        reader = open_arrays(path)
        assert reader.catalog()["snr"].tolist() == (np.arange(NUM) / 4).tolist()
        check_flux(reader)

    def test_decimal_commas_in_quotes(self, tmp_path):
        check_flux(open_arrays(saved(tmp_path, table(label=LABELS), decimal=",")))

    def test_commas_next_to_points_are_a_bad_row(self, tmp_path):
        (tmp_path / "survey.csv").write_text("label;p0;p1\nstar;1,234;999.5\n")
        problems = open_arrays(str(tmp_path / "survey.csv")).read(np.array([0])).problems
        assert problems == {0: "both commas and points in the numbers of a row"}

    @pytest.mark.parametrize("index_label", ["wavelength", "Wave [nm]", None])
    def test_a_row_for_each_wavelength_is_refused(self, tmp_path, index_label):
        frame = table(GRID).T
        frame.columns = [f"s{i}" for i in range(NUM)]
        path = saved(tmp_path, frame, index=True, index_label=index_label)
        with pytest.raises(UserError, match=r"each row must be a spectrum, (not a wavelength, )?so write") as caught:
            open_arrays(path).catalog()
        assert len(str(caught.value)) < 400

    def test_a_grid_in_the_first_column_is_refused_under_any_name(self, tmp_path):
        frame = table(GRID).T
        frame.columns = [str(i) for i in range(NUM)]
        path = saved(tmp_path, frame, index=True, index_label="Wellenlänge", sep=";", decimal=",")
        with pytest.raises(
            UserError, match=r"has a row for each of 4000.5 to 4030.5 in its first column: .*data\.extra"
        ):
            open_arrays(path, header=True).catalog()
        assert len(open_arrays(path, header=True, extra=["Wellenlänge"]).catalog()) == LENGTH

    @pytest.mark.parametrize("labels", [{}, {"label": LABELS}])
    def test_an_index_of_rows_chosen_from_more_is_no_grid(self, tmp_path, labels):
        frame = table(**labels)
        frame.index = np.cumsum(np.arange(NUM) % 3 + 1)
        check_flux(open_arrays(saved(tmp_path, frame, index=True)))

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("1\n2\n3\n", "has one column, '1': each row must be a spectrum"),
            ("4000,1.5\n4002,2.5\n", "has two columns without a header"),
            ("wavelength,flux\n4000,1.5\n", "has a column 'wavelength': each row must be a spectrum"),
        ],
    )
    def test_a_file_of_one_spectrum_is_refused(self, tmp_path, text, sentence):
        (tmp_path / "survey.csv").write_text(text)
        with pytest.raises(UserError, match=sentence):
            open_arrays(str(tmp_path / "survey.csv")).catalog()

    def test_a_wide_table_is_not_listed_in_a_sentence(self, tmp_path):
        names = [f"p{i}" for i in range(300)]
        path = saved(tmp_path, pd.DataFrame(np.zeros((2, 300)), columns=names).assign(label="a"))
        with pytest.raises(UserError, match="and 289 more") as caught:
            open_arrays(path, label_key="kind").catalog()
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_whole_numbers_of_64_bits_stay_exact_with_missing_ones(tmp_path, suffix):
    numbers = [2**62 + i for i in range(NUM - 1)] + [None]
    frame = table(label=LABELS)
    frame.insert(0, "object", pd.array(numbers, dtype="Int64"))
    frame.insert(0, "other", pd.array(numbers, dtype="Int64"))
    catalog = open_arrays(saved(tmp_path, frame, suffix), group_key="object").catalog()
    assert catalog["group"].tolist()[:-1] == [str(2**62 + i) for i in range(NUM - 1)]
    assert catalog["group"].isna().tolist() == [False] * (NUM - 1) + [True]
    assert catalog["other"].tolist()[:-1] == numbers[:-1] and catalog["other"].isna().iloc[-1]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["0266", "1000", "7"], ["0266", "1000", "7"]),
        (["+007", "", "12"], ["+007", "", "12"]),
        (["0", "10", "-3"], [0, 10, -3]),
        (["00.5", "1", "2"], [0.5, 1, 2]),
    ],
)
def test_whole_numbers_with_leading_zeros_are_identifiers(tmp_path, texts, expected):
    lines = ["id,plate,label,4000,4010,4020", *(f"s{i},{text},star,1,2,{i}" for i, text in enumerate(texts))]
    (tmp_path / "s.csv").write_text("\n".join(lines))
    assert open_arrays(str(tmp_path / "s.csv")).catalog()["plate"].tolist() == expected


def test_a_column_that_is_named_for_one_thing_is_not_taken_for_another(tmp_path):
    path = saved(tmp_path, table(y=LABELS, target=np.arange(NUM) // 2))
    catalog = open_arrays(path, group_key="target").catalog()
    assert catalog["label"].tolist() == LABELS and catalog["group"].tolist() == [str(i // 2) for i in range(NUM)]
