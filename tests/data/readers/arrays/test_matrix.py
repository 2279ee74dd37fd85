"""Properties of text matrices alone: the UCR archive's TSV files and CSV."""

import numpy as np
import pytest

from spectral.data.packing.class_names import order_class_names
from spectral.data.readers.arrays import matrix
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError


def opened(folder, content, name="survey.csv", **options):
    (folder / name).write_bytes(content)
    return open_arrays(str(folder / name), **options)


def read_all(reader):
    return reader.read(np.arange(len(reader.catalog())))


class TestUCR:
    def test_a_pair_of_files_is_train_and_test(self, tmp_path):
        (tmp_path / "Gun_TEST.tsv").write_text("2\t5\t6\t7\n-1\t8\t9\t10\n")
        reader = opened(
            tmp_path,
            b"1\t0.5\t-1.25\t3e-1\n-1\t1\t2\t3\n2\t4\t5\t6\n",
            "Gun_TRAIN.tsv",
            test_path=str(tmp_path / "Gun_TEST.tsv"),
        )
        catalog = reader.catalog()
        assert catalog["split"].tolist() == ["train"] * 3 + ["test"] * 2
        assert catalog["label"].tolist() == ["1", "-1", "2", "2", "-1"]
        assert order_class_names(catalog["label"]) == ["-1", "1", "2"]
        chunk = reader.read(np.array([4, 0]))
        np.testing.assert_array_equal(chunk.flux[0], [[8, 9, 10]])
        np.testing.assert_array_equal(chunk.flux[1], np.array([[0.5, -1.25, 0.3]], dtype=np.float32))

    def test_nan_at_the_end_is_not_part_of_a_series(self, tmp_path):
        content = b"1\t1\t2\tNaN\tNaN\n2\t1\tNaN\t3\t4\n1\tNaN\tNaN\tNaN\tNaN\n"
        chunk = read_all(opened(tmp_path, content, "a.tsv"))
        np.testing.assert_array_equal(chunk.flux[0], [[1, 2]])
        np.testing.assert_array_equal(chunk.flux[1], [[1, np.nan, 3, 4]])
        assert chunk.flux[2] is None and chunk.problems == {2: "no numbers"}

    def test_labels_written_as_decimals_become_whole_numbers(self, tmp_path):
        content = b"1.0000000e+00\t1\t2\n-1.0000000e+00\t3\t4\n"
        assert opened(tmp_path, content, "a.tsv").catalog()["label"].tolist() == ["1", "-1"]


class TestHeader:
    @pytest.mark.parametrize(
        ("content", "labels", "pixels"),
        [
            (b"star,1,2\nqso,3,4\n", ["star", "qso"], [[1, 2], [3, 4]]),  # none: the label comes first
            (b"type,p0,p1\nstar,1,2\nqso,3,4\n", ["star", "qso"], [[1, 2], [3, 4]]),
            (b"class,0,1\nstar,1,2\nqso,3,4\n", ["star", "qso"], [[1, 2], [3, 4]]),  # pixels named by numbers
            (b"p0,p1,Label\n1,2,star\n3,4,qso\n", ["star", "qso"], [[1, 2], [3, 4]]),
            (b'"type","p0","p1"\n"star",1,2\n"qso",3,4\n', ["star", "qso"], [[1, 2], [3, 4]]),
            (b"kind,p0,p1\nstar,1,2\nqso,3,4\n", None, None),  # a name that must be given
            (b"star,1,oops\nqso,3,4\n", ["star", "qso"], [None, [3, 4]]),
        ],
    )
    def test_a_header_is_recognized(self, tmp_path, content, labels, pixels):
        options = {"label_key": "kind"} if labels is None else {}
        reader = opened(tmp_path, content, **options)
        assert reader.catalog()["label"].tolist() == (labels or ["star", "qso"])
        for spectrum, row in zip(read_all(reader).flux, pixels or [[1, 2], [3, 4]], strict=True):
            assert (spectrum is None) == (row is None)
            if row is not None:
                np.testing.assert_array_equal(spectrum, [row])

    def test_a_matrix_without_labels_is_read(self, tmp_path):
        catalog = opened(tmp_path, b"id,p0,p1\n7,1,2\n8,3,4\n").catalog()
        assert catalog["id"].tolist() == ["7", "8"] and catalog["label"].isna().all()

    def test_a_column_named_as_extra_is_not_a_pixel(self, tmp_path):
        content = b"id,type,magnitude,split,p0,p1\n7,star,12.5,train,1,2\n8,,,test,3,4\n"
        reader = opened(tmp_path, content, extra=["magnitude"])
        catalog = reader.catalog()
        assert catalog["magnitude"].tolist()[0] == 12.5 and np.isnan(catalog["magnitude"][1])
        assert catalog["split"].tolist() == ["train", "test"] and catalog["label"].isna().tolist() == [False, True]
        np.testing.assert_array_equal(read_all(reader).flux[1], [[3, 4]])


@pytest.mark.parametrize("num", [1, matrix.ROWS_PER_MARK - 1, matrix.ROWS_PER_MARK, 2 * matrix.ROWS_PER_MARK + 1])
def test_blank_lines_are_ignored(tmp_path, num):
    lines = "".join(f"star,{row},{row + 1}\r\n" + "\r\n" * (row % 3) for row in range(num))
    chunk = read_all(opened(tmp_path, lines.encode()))
    np.testing.assert_array_equal(np.concatenate(chunk.flux)[:, 0], np.arange(num))


def test_rows_may_differ_in_length_and_bad_ones_are_problems(tmp_path):
    content = b"type,p0,p1,p2,snr\nstar,1,2,3,9\nqso,1,,3,9\nstar,1,9\nstar\nqso,\xff,2,3,9\nqso,1,x,3,9\nqso,1,2,,9"
    chunk = read_all(opened(tmp_path, content))
    assert chunk.problems == {
        2: "wrong number of fields: 3, the header has 5",
        3: "wrong number of fields: 1, the header has 5",
        4: "text is not UTF-8",
        5: "not a number: 'x' in place 2",
    }
    expected = {0: [1, 2, 3], 1: [1, np.nan, 3], 6: [1, 2]}
    for row, pixels in expected.items():
        np.testing.assert_array_equal(chunk.flux[row], [pixels])


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"", {}, "is empty"),
        (b"type,p0,p1\n", {}, "has no rows"),
        (b"type,id\nstar,1\n", {}, "has no columns of pixels: type, id"),
        (b"p0,type,p1\n1,star,2\n", {}, "the column 'type' among its pixels"),
        (b"type,p0,p1\n\xff,1,2\n", {}, "is not UTF-8 text: save it as CSV UTF-8"),
        (b"type,p0,p\xe4\nstar,1,2\n", {}, "is not UTF-8 text: save it as CSV UTF-8"),
        ("type,p0,p1\nstar,1,2\n".encode("utf-16"), {}, "is not UTF-8 text: save it as CSV UTF-8"),
        (b"sep=;\r\ntype;p0;p1\r\nstar;1;2\r\n", {}, "begins with the line 'sep=;', .*: delete it"),
        (b"type|p0|p1\nstar|1|2\n", {}, "one column, 'type.p0.p1': .* between commas, semicolons, tabs or spaces"),
        (b"id,p0,p1\n7,1,2\n7,1,2\n", {}, "the id '7' more than once"),
        (b"type,p0,p1\nstar,1,2\n", {"label_key": "clas"}, r"has no 'clas' \(data.label_key\)"),
        (b"type,p0,p1\nstar,1,2\n", {"extra": ["mag"]}, r"has no column 'mag' \(data.extra\)"),
    ],
)
def test_a_bad_matrix_is_reported_in_one_sentence(tmp_path, content, options, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        opened(tmp_path, content, **options).catalog()
    assert "\n" not in str(caught.value)
