"""Every file format of arrays gives the same survey."""

import json
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spectral.configs.data import readers
from spectral.configs.readers import ArraysConfig
from spectral.data.packing.class_names import order_class_names
from spectral.data.readers import parquet_stream
from spectral.data.readers.arrays.opening import open_arrays
from spectral.data.readers.arrays.parquet_rows import list_rows
from spectral.data.readers.parquet_stream import ParquetStream
from spectral.errors import UserError

NUM, LENGTH = 600, 5  # more rows than a batch of Parquet or a block of a matrix
FLUX = np.random.default_rng(0).normal(size=(NUM, LENGTH)).astype(np.float32)
IDS = [f"s{number:03}" for number in range(NUM)][::-1]
LABELS = np.random.default_rng(1).choice(["star", "qso", "odd one"], NUM)
SNR = np.linspace(1, 30, NUM).round(2)


def columns():
    return {"id": IDS, "type": LABELS, "snr": SNR}


def pixels():
    return {f"pixel_{position}": FLUX[:, position] for position in range(LENGTH)}


def npz(folder):
    np.savez(folder / "survey.npz", flux=FLUX, **columns())
    return {"path": folder / "survey.npz"}


def npz_compressed(folder):
    np.savez_compressed(folder / "survey.npz", flux=FLUX, **columns())
    return {"path": folder / "survey.npz"}


def npz_with_labels_aside(folder):
    np.savez(folder / "survey.npz", anything=FLUX)
    pd.DataFrame(columns()).to_csv(folder / "labels.csv", index=False)
    return {"path": folder / "survey.npz", "labels": folder / "labels.csv"}


def npy(folder):
    np.save(folder / "flux.npy", FLUX)
    pd.DataFrame(columns()).to_csv(folder / "labels.csv", index=False)
    return {"path": folder / "flux.npy", "labels": folder / "labels.csv"}


def npy_fortran_big_endian_channel(folder):
    np.save(folder / "flux.npy", np.asfortranarray(FLUX[:, None, :].astype(">f8")))
    pd.DataFrame(columns()).to_csv(folder / "labels.csv", index=False)
    return {"path": folder / "flux.npy", "labels": folder / "labels.csv"}


def parquet_lists(folder):
    pd.DataFrame(columns() | {"flux": list(FLUX)}).to_parquet(folder / "survey.parquet")
    return {"path": folder / "survey.parquet"}


def parquet_fixed_lists_in_row_groups(folder):
    lists = pa.FixedSizeListArray.from_arrays(FLUX.ravel(), LENGTH)
    pq.write_table(pa.table(columns() | {"spectrum": lists}), folder / "survey.parquet", row_group_size=170)
    return {"path": folder / "survey.parquet"}


def parquet_channels(folder):
    frame = pd.DataFrame(columns() | {"flux": [[row.tolist()] for row in FLUX]})
    frame.to_parquet(folder / "survey.parquet")
    return {"path": folder / "survey.parquet"}


def parquet_wide(folder):
    pd.DataFrame(columns() | pixels()).to_parquet(folder / "survey.parquet")
    return {"path": folder / "survey.parquet"}


def csv_matrix(folder):
    pd.DataFrame(columns() | pixels()).to_csv(folder / "survey.csv", index=False)
    return {"path": folder / "survey.csv"}


def csv_matrix_of_windows_label_last(folder):
    frame = pd.DataFrame({"id": IDS} | pixels() | {"snr": SNR, "type": LABELS})
    text = frame.to_csv(index=False, quoting=2, lineterminator="\r\n")  # text in quotes
    (folder / "survey.csv").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n\r\n")
    return {"path": folder / "survey.csv"}


FORMS = [
    npz,
    npz_compressed,
    npz_with_labels_aside,
    npy,
    npy_fortran_big_endian_channel,
    parquet_lists,
    parquet_fixed_lists_in_row_groups,
    parquet_channels,
    parquet_wide,
    csv_matrix,
    csv_matrix_of_windows_label_last,
]


@pytest.fixture(params=FORMS, ids=lambda form: form.__name__)
def reader(request, tmp_path):
    return open_arrays(**{name: str(path) for name, path in request.param(tmp_path).items()})


class TestEveryForm:
    def test_the_catalog_is_the_same_in_every_form(self, reader):
        catalog = reader.catalog()
        assert catalog["id"].tolist() == IDS
        assert catalog["label"].tolist() == LABELS.tolist()
        np.testing.assert_allclose(catalog["snr"], SNR)
        assert order_class_names(catalog["label"]) == ["odd one", "qso", "star"]

    @pytest.mark.parametrize("rows", [range(NUM), [599, 0, 300, 299, 256, 255], []], ids=["all", "some", "none"])
    def test_flux_is_the_same_in_every_form(self, reader, rows):
        rows = np.array(rows, dtype=np.int64)
        chunk = reader.read(rows)
        assert not chunk.problems and len(chunk.flux) == len(rows)
        for spectrum, row in zip(chunk.flux, rows, strict=True):
            assert spectrum.dtype == np.float32
            np.testing.assert_array_equal(spectrum, FLUX[row, None, :])

    def test_a_pickled_reader_is_small(self, reader):
        reader.catalog()
        pickled = pickle.dumps(reader)
        assert len(pickled) < 4000
        np.testing.assert_array_equal(pickle.loads(pickled).read(np.array([77])).flux[0], FLUX[77:78])

    def test_settings_are_json(self, reader):
        assert json.loads(json.dumps(reader.settings())) == reader.settings()

    def test_fingerprint_follows_the_source(self, reader):
        first = reader.fingerprint()
        assert reader.fingerprint() == first
        with reader.path.open("ab") as file:
            file.write(b" ")
        assert reader.fingerprint() != first


def test_the_typed_config_opens_a_reader(tmp_path):
    config = readers.typed({"name": "arrays", "path": str(npz(tmp_path)["path"]), "nan": "mask"})
    assert isinstance(config, ArraysConfig)
    assert len(readers.build(config).catalog()) == NUM


def test_reading_parquet_in_order_reads_each_row_group_once(tmp_path, monkeypatch):
    path = parquet_lists(tmp_path)["path"]
    stream = ParquetStream(path, ["flux"], list_rows)
    starts = []
    start = stream._batches_from
    monkeypatch.setattr(stream, "_batches_from", lambda group: starts.append(group) or start(group))
    for row in range(0, NUM, 7):
        np.testing.assert_array_equal(stream.spectrum(row), FLUX[row, None])
    assert starts == []


def test_a_parquet_row_is_never_one_of_the_batch_before_a_damaged_one(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_stream, "ROWS_PER_BATCH", 4)
    read = []

    def fails_at_the_second(batch):
        read.append(batch)
        if len(read) == 2:
            raise ValueError("damaged")
        return list_rows(batch)

    stream = ParquetStream(parquet_lists(tmp_path)["path"], ["flux"], fails_at_the_second)
    np.testing.assert_array_equal(stream.spectrum(1), FLUX[1, None])
    with pytest.raises(ValueError, match="damaged"):
        stream.spectrum(5)
    np.testing.assert_array_equal(stream.spectrum(6), FLUX[6, None])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"path": ""}, "data.path is not set"),
        ({"path": "surey.npz"}, "data.path=.*surey.npz is not a file: did you mean '.*survey.npz'"),
        (
            {"path": "survey.xyz"},
            "of no known kind: .*allowed: .csv, .fit, .fit.gz, .fits, .*, .npz, .parquet, .tsv",
        ),
        ({"path": "survey.txt"}, r"known kind: a folder .* by data=two_column, .* once its name ends in \.csv\.$"),
        ({"path": "survey.ts"}, r"of no known kind: the archive's TSV can be read, or what aeon's load_from_ts_file"),
        ({"path": "survey.npz", "labels": "survey.txt", "test_path": "survey.npz"}, "cannot go with data.test_path"),
        ({"path": "survey.csv", "labels": "survey.txt"}, "cannot go with data.path=.*csv: it is for .npz, .npy,"),
        (
            {"path": "survey.npz", "labels": "survy.txt"},
            "data.labels=.*survy.txt is not a file: did you mean '.*survey",
        ),
        ({"path": "survey.npz", "labels": "folder"}, "data.labels=.*/folder is not a file\\.$"),
        ({"path": "survey.npz", "test_path": "none.npz"}, "data.test_path=.*none.npz is not a file"),
    ],
)
def test_a_file_that_cannot_be_opened_is_reported_in_one_sentence(tmp_path, options, sentence):
    npz(tmp_path)
    csv_matrix(tmp_path)
    for ending in ("txt", "ts", "xyz"):
        (tmp_path / f"survey.{ending}").write_text("1 2 3")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=sentence):
        open_arrays(**{name: value and str(tmp_path / value) for name, value in options.items()})


@pytest.mark.parametrize(
    ("write", "option", "sentence"),
    [
        (csv_matrix, {"ivar_key": "ivar"}, "data.ivar_key=ivar cannot go with data.path=.*: it is for .npz, .npy"),
        (parquet_lists, {"wave_key": "wave"}, "data.wave_key=wave cannot go with"),
        (parquet_lists, {"flux_columns": ["a", "b"]}, "data.flux_columns cannot go with .* are lists, in 'flux'"),
        (csv_matrix, {"mask_key": "mask"}, "data.mask_key=mask cannot go with"),
        (csv_matrix, {"flux_key": "flux"}, r"data.flux_key=flux cannot go with .*\.fits\.gz, .*, \.parquet\.$"),
        (csv_matrix, {"channels_last": True}, "data.channels_last=true cannot go with"),
        (npz, {"header": True}, r"data.header=true cannot go with data.path=.*survey.npz: it is for .csv, .tsv\.$"),
        (npz, {"flux_columns": ["a", "b"]}, r"data.flux_columns=\[a,b\] cannot go with"),
    ],
)
def test_an_option_that_the_kind_of_file_has_no_use_for_is_refused(tmp_path, write, option, sentence):
    given = {key: str(value) for key, value in write(tmp_path).items()}
    with pytest.raises(UserError, match=sentence):
        open_arrays(**given, **option).catalog()


def test_further_columns_of_a_file_without_columns_are_warned_of(tmp_path, caplog):
    """Earlier versions said nothing; a run that they began with it can be resumed."""
    given = {key: str(value) for key, value in npz(tmp_path).items()}
    assert len(open_arrays(**given, extra=["mag"]).catalog()) == NUM
    assert any(message.startswith("data.extra=[mag] does nothing with data.path=") for message in caplog.messages)


def test_an_option_that_is_false_asks_for_nothing(tmp_path):
    given = {key: str(value) for key, value in csv_matrix(tmp_path).items()}
    assert len(open_arrays(**given, channels_last=False).catalog()) == NUM


@pytest.mark.parametrize("write", [npz, csv_matrix, parquet_lists, parquet_wide])
def test_a_medium_of_wavelengths_that_are_not_there_is_warned_of_once(tmp_path, caplog, write):
    reader = open_arrays(**{key: str(value) for key, value in write(tmp_path).items()}, wave_medium="air")
    assert reader.wave_angstrom() is None and reader.wave_angstrom() is None
    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert message.startswith("data.wave_medium=air does nothing: data.path=") and "gives no wavelengths." in message


def test_a_folder_of_fits_files_names_their_readers(tmp_path):
    (tmp_path / "spec-1.fits").touch()
    with pytest.raises(UserError, match=r"holds FITS files \(spec-1.fits\): data=lamost, data=sdss or data=desi with"):
        open_arrays(str(tmp_path))


def test_a_name_that_is_too_long_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"data\.path=.{80}\.\.\. cannot be looked up: File name too long"):
        open_arrays(str(tmp_path / ("a" * 300 + ".npz")))
