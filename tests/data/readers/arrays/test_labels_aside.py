"""`data.labels` next to flux with ids under another name than `id`: a label never lands on another spectrum."""

import h5py
import numpy as np
import pytest
from astropy.io import fits

from spectral.data.readers.arrays.opening import open_arrays
from spectral.data.readers.fingerprints import file_stamp, join_stamps
from spectral.errors import UserError

FLUX = np.arange(24, dtype=np.float32).reshape(4, 6)
IDS = np.arange(4) + 2**60 + 1


def npz(folder, **arrays):
    np.savez(folder / "survey.npz", flux=FLUX, **arrays)
    return folder / "survey.npz"


def hdf5(folder, **arrays):
    with h5py.File(folder / "survey.h5", "w") as file:
        file["spectra/flux"] = FLUX
        for name, values in arrays.items():
            file[f"spectra/{name}"] = values
    return folder / "survey.h5"


def fits_table(folder, **arrays):
    columns = [fits.Column("FLUX", "6E", array=FLUX)]
    columns += [fits.Column(name.upper(), "K", array=values) for name, values in arrays.items()]
    fits.BinTableHDU.from_columns(columns).writeto(folder / "survey.fits")
    return folder / "survey.fits"


def opened(folder, labels, save=npz, options=None, **arrays):
    (folder / "labels.csv").write_text(labels)
    return open_arrays(str(save(folder, **arrays)), labels=str(folder / "labels.csv"), **(options or {}))


def rows(names, ids=IDS, labels="abcd"):
    """The table from its last row to its first."""
    lines = [f"{id_},{label}\n" for id_, label in zip(ids, labels, strict=True)]
    return f"{names}\n" + "".join(lines[::-1])


@pytest.mark.parametrize("save", [npz, hdf5, fits_table])
@pytest.mark.parametrize("name", ["obsid", "spec_id", "specobjid"])
def test_it_is_joined_by_ids_of_other_names(tmp_path, save, name):
    table = rows(f"{name.upper()},class", [*IDS, 5], "abcde")
    catalog = opened(tmp_path, table, save, **{name: IDS}).catalog()
    assert catalog["label"].tolist() == list("abcd") and catalog["id"].tolist() == [str(i) for i in IDS]


def test_a_table_of_other_ids_too_is_joined_by_those_of_the_flux(tmp_path):
    table = "id,obsid,class\n" + "".join(f"s{i},{IDS[i]},{'abcd'[i]}\n" for i in (2, 0, 3, 1))
    catalog = opened(tmp_path, table, obsid=IDS).catalog()
    assert catalog["label"].tolist() == list("abcd") and catalog["id"].tolist() == ["s0", "s1", "s2", "s3"]


def test_names_of_objects_with_several_spectra_are_no_ids(tmp_path, caplog):
    table = rows("obsid,class")
    with caplog.at_level("INFO"):
        assert opened(tmp_path, table, obsid=[7, 7, 8, 9]).catalog()["label"].tolist() == list("dcba")
    assert "is joined by row" in caplog.text and not [each for each in caplog.records if each.levelname == "WARNING"]


@pytest.mark.parametrize("table", ["class\na\nb\nc\nd\n", "id,class\n1,a\n2,b\n3,c\n4,d\n"])
def test_a_table_without_such_ids_is_joined_by_row_with_a_warning(tmp_path, caplog, table):
    assert opened(tmp_path, table, obsid=IDS).catalog()["label"].tolist() == list("abcd")
    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert message.startswith("data.labels=") and "is joined by row: it has none of the ids 'obsid' in" in message


@pytest.mark.parametrize(
    ("table", "options", "sentence"),
    [
        (rows("obsid,class", IDS + 100), {}, r"labels\.csv lacks 4 of the 4 ids 'obsid' in data\.path="),
        (rows("id,class", [*IDS[:3], 5]), {}, r"labels\.csv lacks 1 of the 4 ids .*give each a row, .*data\.id_key"),
        (rows("obsid,class", [1, 1, 2, 3]), {}, r"labels\.csv has the id '1' more than once\."),
        (rows("name,class"), {"id_key": "obsid"}, r"labels\.csv has no 'obsid' \(data\.id_key\)"),
    ],
)
def test_a_table_that_lacks_the_ids_is_refused(tmp_path, table, options, sentence):
    with pytest.raises(UserError, match=sentence):
        opened(tmp_path, table, options=options, obsid=IDS).catalog()


@pytest.mark.parametrize(
    ("table", "options", "labels"),
    [
        (rows("obsid,class", labels=["a", "b", "", "d"]), {}, ["a", "b", None, "d"]),
        ("obsid,name,class\n1,s1,a\n2,s0,b\n3,s3,c\n4,s2,d\n", {"id_key": "name"}, list("badc")),
    ],
)
def test_what_a_refusal_says_helps(tmp_path, table, options, labels):
    catalog = opened(tmp_path, table, options=options, obsid=IDS, name=["s0", "s1", "s2", "s3"]).catalog()
    assert [label if isinstance(label, str) else None for label in catalog["label"]] == labels


@pytest.mark.parametrize(
    ("name", "ids", "table", "options", "is_packed_again"),
    [
        ("obsid", IDS, rows("obsid,class"), {}, True),
        ("obsid", IDS, rows("obsid,class"), {"id_key": "obsid"}, False),
        ("id", IDS, rows("id,class"), {}, False),
        ("obsid", [7, 7, 8, 9], rows("obsid,class"), {}, False),  # still joined by row
        ("obsid", IDS, "class\na\nb\nc\nd\n", {}, False),  # likewise
    ],
)
def test_what_earlier_versions_joined_by_row_is_packed_again(tmp_path, name, ids, table, options, is_packed_again):
    reader = opened(tmp_path, table, options=options, **{name: ids})
    before = join_stamps(file_stamp(tmp_path / file) for file in ("survey.npz", "labels.csv"))
    assert (reader.fingerprint() != before) == is_packed_again


def test_labels_without_a_header_are_said_to_have_lost_their_first_row(tmp_path):
    with pytest.raises(UserError, match=r"3 rows, .* 4 spectra: its first line, '0', is taken for a header"):
        opened(tmp_path, "0\n1\n0\n1\n").catalog()
    with pytest.raises(UserError, match=r"has 2 rows, but .* has 4 spectra; blank lines are no rows: write nan for a "):
        opened(tmp_path, "label\n1\n\n0\n").catalog()
    with pytest.raises(UserError, match=r"has 3 rows, but .* has 4 spectra; blank lines are no rows: write nan for a "):
        opened(tmp_path, "label\n1\n\n0\n1\n").catalog()
