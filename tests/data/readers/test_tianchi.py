"""The contest's layout: an index and one text file per spectrum."""

import os
import pickle

import numpy as np
import pytest

from spectral.configs.data import readers
from spectral.configs.readers import TianchiConfig
from spectral.data.readers.tianchi import TianchiReader
from spectral.errors import UserError

LABELS = ["star", "star", "qso", "galaxy", "unknown"]


@pytest.fixture
def survey(tmp_path):
    """Five spectra of 7 numbers, ids that are not in order, one with a leading zero."""
    folder = tmp_path / "train"
    folder.mkdir()
    flux = np.random.default_rng(0).normal(100, 30, (5, 7)).round(3)
    ids = ["31", "007", "4", "500", "12"]
    for id_, row in zip(ids, flux, strict=True):
        (folder / f"{id_}.txt").write_text(",".join(map(str, row)))
    index = tmp_path / "index.csv"
    index.write_text("id,type\n" + "".join(f"{i},{label}\n" for i, label in zip(ids, LABELS, strict=True)))
    return index, folder, flux.astype(np.float32)


def test_reads_index_and_spectra(survey):
    index, folder, flux = survey
    reader = readers.build(TianchiConfig(index=str(index), folder=str(folder)))
    catalog = reader.catalog()
    assert catalog["id"].tolist() == ["31", "007", "4", "500", "12"]
    assert catalog["label"].tolist() == LABELS
    chunk = reader.read(np.array([4, 0, 1]))
    np.testing.assert_array_equal(np.stack(chunk.flux), flux[[4, 0, 1], None, :])
    assert not chunk.problems and chunk.ivar is None and chunk.mask is None


def test_another_file_whose_name_is_not_utf8_is_no_matter(survey):
    index, folder, _ = survey
    (folder / os.fsdecode(b"31\xe9.txt")).write_text("1,2")
    reader = TianchiReader(str(index), str(folder))
    assert len(reader.catalog()) == 5 and reader.fingerprint()


def test_a_reader_in_another_process_is_small_and_reads_the_same(survey):
    index, folder, flux = survey
    reader = TianchiReader(str(index), str(folder))
    reader.catalog()
    pickled = pickle.dumps(reader)
    assert len(pickled) < 2000
    np.testing.assert_array_equal(pickle.loads(pickled).read(np.array([2])).flux[0], flux[2:3])


def test_an_index_of_ids_alone_has_missing_labels(survey):
    index, folder, _ = survey
    index.write_text("id\n4\n12\n")
    catalog = TianchiReader(str(index), str(folder)).catalog()
    assert catalog["id"].tolist() == ["4", "12"] and catalog["label"].isna().all()


def test_some_labels_may_be_missing_and_other_columns_stay(survey):
    index, folder, _ = survey
    index.write_text("id,type,snr,object\n4,,1.5,a\n12,qso,2,b\n")
    catalog = TianchiReader(str(index), str(folder), group_key="object").catalog()
    assert catalog["label"].isna().tolist() == [True, False]
    assert catalog["snr"].tolist() == [1.5, 2] and catalog["group"].tolist() == ["a", "b"]


def test_an_index_of_windows_with_a_byte_order_mark(survey):
    index, folder, _ = survey
    index.write_bytes(b"\xef\xbb\xbfid,type\r\n4,star\r\n12, qso\r\n")
    catalog = TianchiReader(str(index), str(folder)).catalog()
    assert catalog["id"].tolist() == ["4", "12"] and catalog["label"].tolist() == ["star", "qso"]


def test_bad_files_are_problems_of_their_rows_alone(survey):
    index, folder, flux = survey
    (folder / "31.txt").unlink()
    (folder / "007.txt").write_text("")
    (folder / "4.txt").write_text("1,2,oops")
    (folder / "500.txt").write_bytes(b"\xff\xfe\x00")
    chunk = TianchiReader(str(index), str(folder)).read(np.arange(5))
    assert [spectrum is None for spectrum in chunk.flux] == [True, True, True, True, False]
    np.testing.assert_array_equal(chunk.flux[4], flux[4:])
    assert chunk.problems == {
        0: "missing file: 31.txt",
        1: "no numbers",
        2: "not a number: 'oops' in place 3",
        3: "text is not UTF-8",
    }


def test_a_folder_in_place_of_a_file_is_a_problem_of_its_row(survey):
    index, folder, _ = survey
    (folder / "4.txt").unlink()
    (folder / "4.txt").mkdir()
    problems = TianchiReader(str(index), str(folder)).read(np.array([2])).problems
    assert problems[0].startswith("unreadable file: 4.txt: ")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "index.csv is empty"),
        (b"id,type\n", "has no rows"),
        (b"Id,type\n1,star\n", "has no 'id' .*did you mean 'Id'"),
        (b"id,type\n4,star\n4,qso\n", "has the id '4' more than once"),
        (b"id,type\n4,star\n,qso\n", "has no id in row 2"),
        (b"id,type\n4,star,1\n", "is not a CSV table: row 1 has 3 fields, its header 2"),
        (b"id,type\n4,\xff\n", "is not UTF-8 text"),
        (b"id,type\n98,star\n99,qso\n", "none of the 2 files .*the first is 98.txt"),
    ],
)
def test_a_bad_index_is_reported_in_one_sentence(survey, content, sentence):
    index, folder, _ = survey
    index.write_bytes(content)
    with pytest.raises(UserError, match=sentence) as caught:
        TianchiReader(str(index), str(folder)).catalog()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"index": ""}, "data.index is not set"),
        ({"index": "indx.csv"}, "data.index=.*indx.csv is not a file: did you mean '.*index.csv'"),
        ({"index": "nowhere/index.csv"}, "there is no folder .*nowhere"),
        ({"folder": "tran"}, "data.folder=.*tran is not a folder: did you mean '.*train'"),
        ({"folder": "index.csv"}, "data.folder=.*index.csv is not a folder"),
    ],
)
def test_a_missing_source_is_reported_in_one_sentence(survey, change, sentence):
    index, folder, _ = survey
    paths = {"index": str(index), "folder": str(folder)}
    paths |= {name: value and str(index.parent / value) for name, value in change.items()}
    with pytest.raises(UserError, match=sentence):
        TianchiReader(**paths)


def test_a_missing_label_column_is_named(survey):
    index, folder, _ = survey
    with pytest.raises(UserError, match=r"no 'typ' \(data.label_key\): did you mean 'type'"):
        TianchiReader(str(index), str(folder), label_key="typ").catalog()


def test_fingerprint_follows_the_index_and_the_files(survey):
    index, folder, _ = survey
    reader = TianchiReader(str(index), str(folder))
    first = reader.fingerprint()
    assert reader.fingerprint() == first
    (folder / "4.txt").write_text("1,2,3,4,5,6,7,8")
    second = reader.fingerprint()
    index.write_text(index.read_text().replace("galaxy", "qso"))
    assert len({first, second, reader.fingerprint()}) == 3


def test_columns_of_wavelength_and_flux_are_a_bad_row(survey):
    index, folder, _ = survey
    (folder / "4.txt").write_text("3690,1.5\n3691,2.5\n3692,3.5\n")
    reason = "several numbers on each of several lines: data.wrapped=true reads them in turn"
    assert TianchiReader(str(index), str(folder)).read(np.array([2])).problems == {0: reason}
    chunk = TianchiReader(str(index), str(folder), wrapped=True).read(np.array([2]))
    np.testing.assert_array_equal(chunk.flux[0], [[3690, 1.5, 3691, 2.5, 3692, 3.5]])


@pytest.mark.parametrize("content", ["1\n2\n3\n", "1,2,3\n", "1,\n2,\n3", "\n1 2 3\n\n"])
def test_numbers_on_a_line_or_in_a_column_are_a_spectrum(survey, content):
    index, folder, _ = survey
    (folder / "4.txt").write_text(content)
    np.testing.assert_array_equal(TianchiReader(str(index), str(folder)).read(np.array([2])).flux[0], [[1, 2, 3]])


@pytest.mark.parametrize(
    "index_text", ["id, type\n4, star\n12, qso\n", "id;type\n4;star\n12;qso\n", "id type\n4 star\n12 qso\n"]
)
def test_an_index_in_other_forms_of_csv(survey, index_text):
    index, folder, _ = survey
    index.write_text(index_text)
    catalog = TianchiReader(str(index), str(folder)).catalog()
    assert catalog["id"].tolist() == ["4", "12"] and catalog["label"].tolist() == ["star", "qso"]


def test_a_column_twice_is_refused(survey):
    index, folder, _ = survey
    index.write_text("id,type,type\n4,star,qso\n")
    with pytest.raises(UserError, match="has the column 'type' more than once"):
        TianchiReader(str(index), str(folder)).catalog()


def test_a_folder_of_fits_is_said(survey):
    index, folder, _ = survey
    index.write_text("id,type\nspec-1,star\n")
    (folder / "spec-1.fits").touch()
    with pytest.raises(UserError, match=r"holds FITS files .*: data=lamost, data=sdss or data=desi"):
        TianchiReader(str(index), str(folder)).catalog()


def test_a_link_to_nothing_is_a_problem_of_its_row(survey):
    index, folder, _ = survey
    (folder / "4.txt").unlink()
    (folder / "4.txt").symlink_to("gone")
    reader = TianchiReader(str(index), str(folder))
    before = reader.fingerprint()
    assert reader.read(np.array([2])).problems == {0: "missing file: 4.txt"}
    (folder / "gone").write_text("1,2,3,4,5,6,7")
    assert reader.fingerprint() != before
