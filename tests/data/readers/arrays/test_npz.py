"""Properties of NPZ and NPY files alone."""

import re
import resource
import tempfile

import numpy as np
import pytest

from spectral.data.readers.arrays.array_map import map_npz
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError

FLUX = np.arange(24, dtype=np.float32).reshape(4, 6)


def saved(folder, **arrays):
    np.savez(folder / "survey.npz", **arrays)
    return str(folder / "survey.npz")


def opened(folder, options=None, **arrays):
    return open_arrays(saved(folder, **arrays), **(options or {}))


def test_every_array_of_a_survey_is_read(tmp_path):
    wave, mask = np.linspace(3690, 9100, 6), FLUX % 5 == 0
    cube = FLUX.reshape(4, 2, 3)
    reader = opened(tmp_path, flux=cube, wave=wave[:3], ivar=cube + 1, mask=mask[:, :3], z=np.arange(4.0))
    np.testing.assert_array_equal(reader.wave_angstrom(), wave[:3])
    chunk = reader.read(np.array([3, 1]))
    np.testing.assert_array_equal(np.stack(chunk.flux), cube[[3, 1]])
    np.testing.assert_array_equal(np.stack(chunk.ivar), cube[[3, 1]] + 1)
    np.testing.assert_array_equal(np.stack(chunk.mask), mask[[3, 1], :3])
    catalog = reader.catalog()
    assert catalog["redshift"].tolist() == [0, 1, 2, 3]
    assert catalog["id"].tolist() == ["0", "1", "2", "3"] and catalog["label"].isna().all()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_flux_is_memory_mapped(tmp_path, save):
    save(tmp_path / "survey.npz", flux=FLUX, other=FLUX[:1])
    arrays = map_npz(tmp_path / "survey.npz", "data.path")
    for name, values in {"flux": FLUX, "other": FLUX[:1]}.items():
        assert isinstance(arrays[name].open(), np.memmap)
        np.testing.assert_array_equal(arrays[name].open(), values)


def test_a_full_temporary_folder_is_named(tmp_path):
    np.savez_compressed(tmp_path / "survey.npz", flux=np.ones((64, 512)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    try:
        with pytest.raises(
            UserError, match=f"^{re.escape(tempfile.gettempdir())} could not be written: .* by TMPDIR, "
        ):
            open_arrays(str(tmp_path / "survey.npz")).catalog()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        (np.array([1, 0, -1, 2]), ["1", "0", "-1", "2"]),
        (np.array([1.0, 0.0, np.nan, 2.0]), ["1", "0", None, "2"]),
        (np.array(["a", "", "b", "nan"]), ["a", None, "b", None]),
        (np.array([b"a", b"b", b"a", b"c"]), ["a", "b", "a", "c"]),
        (np.array([True, False, True, True]), ["True", "False", "True", "True"]),
        (np.array([1, 2, 3, 4], dtype=">i4"), ["1", "2", "3", "4"]),
    ],
)
def test_labels_of_any_type_become_text(tmp_path, labels, texts):
    label = opened(tmp_path, flux=FLUX, label=labels).catalog()["label"]
    assert [None if missing else text for text, missing in zip(label, label.isna(), strict=True)] == texts


def test_names_of_the_arrays_may_be_given(tmp_path):
    keys = {"flux_key": "X", "wave_key": "lam", "ivar_key": "w", "mask_key": "bad", "id_key": "n", "label_key": "c"}
    arrays = {"X": FLUX, "lam": FLUX[0], "w": FLUX * 2, "bad": FLUX > 3, "n": np.arange(4) + 7, "c": list("abca")}
    reader = opened(tmp_path, {**keys, "group_key": "who"}, **arrays, type=list("wxyz"), who=[1, 1, 2, 2])
    catalog = reader.catalog()
    assert catalog["id"].tolist() == ["7", "8", "9", "10"] and catalog["label"].tolist() == list("abca")
    assert catalog["group"].tolist() == ["1", "1", "2", "2"] and catalog["type"].tolist() == list("wxyz")
    np.testing.assert_array_equal(reader.read(np.array([2])).ivar[0], FLUX[2:3] * 2)


def test_a_clash_of_names_keeps_both_columns(tmp_path):
    catalog = opened(tmp_path, {"label_key": "type"}, flux=FLUX, type=list("abca"), label=list("wxyz")).catalog()
    assert catalog["label"].tolist() == list("abca") and catalog["label_in_source"].tolist() == list("wxyz")


def test_unused_object_arrays_are_ignored(tmp_path):
    catalog = opened(tmp_path, flux=FLUX, notes=np.array([{}, None, "x", 1], dtype=object)).catalog()
    assert "notes" not in catalog


@pytest.mark.parametrize(
    ("options", "arrays", "sentence"),
    [
        ({}, {"flux": FLUX, "type": np.array(["a", None, "b", "c"], dtype=object)}, "'type' in .*Python objects"),
        ({}, {"flux": FLUX.astype(object)}, "holds object, not real numbers"),
        ({}, {"flux": FLUX.astype(complex)}, "holds complex128, not real numbers"),
        ({}, {"flux": FLUX, "type": list("abc")}, r"'type' in .* shape \[3\], but there are 4 spectra"),
        ({}, {"flux": FLUX[0]}, r"shape \[6\], not \[N, L\] or \[N, C, L\]"),
        ({}, {"flux": FLUX[:0]}, "has no rows"),
        ({}, {"flux": FLUX, "wave": np.arange(5)}, r"'wave' in .* shape \[5\]: .* must be \[6\]"),
        ({}, {"flux": FLUX, "ivar": FLUX[:2]}, r"'ivar' in .* must be \[4, 6\]"),
        ({}, {"flux": FLUX, "mask": FLUX[0] > 1}, r"'mask' in .* must be \[4, 6\]"),
        ({}, {"flux": FLUX, "ivar": FLUX.astype(complex)}, "'ivar' in .* holds complex128, not real numbers"),
        ({}, {"flux": FLUX, "mask": (FLUX > 1).astype("S5")}, r"'mask' in .* holds \|S5, not real numbers"),
        ({}, {"a": FLUX, "b": FLUX}, "no 'flux', name it by data.flux_key"),
        ({"flux_key": "fluxx"}, {"flux": FLUX}, r"no 'fluxx' \(data.flux_key\): did you mean 'flux'"),
        ({"label_key": "tipe"}, {"flux": FLUX, "type": list("abca")}, r"no 'tipe' \(data.label_key\): did you mean"),
        ({}, {"flux": FLUX, "id": [1, 2, 2, 3]}, "id '2' more than once"),
    ],
)
def test_arrays_that_do_not_fit_are_reported_in_one_sentence(tmp_path, options, arrays, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        opened(tmp_path, options, **arrays).catalog()
    assert "\n" not in str(caught.value)


def test_labels_of_another_length_are_reported_with_both_counts(tmp_path):
    np.save(tmp_path / "flux.npy", FLUX)
    (tmp_path / "labels.csv").write_text("id,type\n1,a\n2,b\n")
    reader = open_arrays(str(tmp_path / "flux.npy"), labels=str(tmp_path / "labels.csv"))
    with pytest.raises(UserError, match=r"labels.csv has 2 rows, but data.path=.* has 4 spectra"):
        reader.catalog()


@pytest.mark.parametrize("name", ["survey.npz", "survey.npy"])
@pytest.mark.parametrize("content", [b"", b"not an array file", None], ids=["empty", "text", "cut"])
def test_a_damaged_file_is_reported_in_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    if content is None:
        saver = np.savez if name.endswith("npz") else np.save
        saver(path, FLUX)
        content = path.read_bytes()[:-40]
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"is not a whole NPZ file|is not an NPY array|is cut off"):
        open_arrays(str(path)).catalog()


class TestChannelsLast:
    CUBE = FLUX.reshape(4, 3, 2)  # [N, L, C]

    @pytest.mark.parametrize("flux", [FLUX[:, :, None], CUBE], ids=["one", "two"])
    def test_more_channels_than_pixels_are_asked_about(self, tmp_path, flux):
        sentence = r"is \[N, C, L\] with \d channels of \d pixels: data.channels_last=true reads it as \[N, L, C\]"
        with pytest.raises(UserError, match=sentence):
            opened(tmp_path, flux=flux).catalog()

    def test_they_are_read_in_either_order(self, tmp_path):
        arrays = {"flux": self.CUBE, "ivar": self.CUBE + 1, "mask": np.zeros((4, 3)), "wave": [1.0, 2, 3]}
        chunk = opened(tmp_path, {"channels_last": True}, **arrays).read(np.array([2]))
        np.testing.assert_array_equal(chunk.flux[0], self.CUBE[2].T)
        np.testing.assert_array_equal(chunk.ivar[0], self.CUBE[2].T + 1)
        assert opened(tmp_path, {"channels_last": True}, **arrays).catalog()["id"].tolist() == list("0123")
        chunk = opened(tmp_path, {"channels_last": False}, flux=self.CUBE).read(np.array([2]))
        np.testing.assert_array_equal(chunk.flux[0], self.CUBE[2])

    def test_one_channel_has_no_order(self, tmp_path):
        with pytest.raises(UserError, match=r"needs flux \[N, L, C\]"):
            opened(tmp_path, {"channels_last": True}, flux=FLUX).catalog()


def test_labels_that_are_not_utf8_are_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"'type' in data.path=.* is not UTF-8 text\."):
        opened(tmp_path, flux=FLUX, type=np.array([name.encode("gbk") for name in "恒星星系"])).catalog()


def test_wavelengths_have_a_unit(tmp_path, caplog):
    wave = np.linspace(400, 405, 6)
    np.testing.assert_allclose(opened(tmp_path, {"wave_unit": "nm"}, flux=FLUX, wave=wave).wave_angstrom(), 10 * wave)
    opened(tmp_path, flux=FLUX, wave=wave).wave_angstrom()
    assert "400 to 405, is taken for Angstrom: data.wave_unit names another unit" in caplog.text
    with pytest.raises(UserError, match=r"data\.wave_unit=nm has no wavelengths: .* has no wave"):
        opened(tmp_path, {"wave_unit": "nm"}, flux=FLUX).wave_angstrom()


@pytest.mark.parametrize("shape", [(2**33, 2**33), (4, 2**60), (2**62, 4), (-1, 6)])
def test_a_shape_beyond_the_file_is_one_sentence(tmp_path, shape):
    np.save(tmp_path / "survey.npy", FLUX)
    content = (tmp_path / "survey.npy").read_bytes()
    written = f"'shape': {shape}, }}".encode()
    header = content[10:128].rstrip(b" \n").replace(b"'shape': (4, 6), }", written)
    (tmp_path / "survey.npy").write_bytes(content[:10] + header.ljust(117) + b"\n" + content[128:])
    with pytest.raises(UserError, match=r"is cut off|is not an NPY array"):
        open_arrays(str(tmp_path / "survey.npy")).catalog()


class TestLabelsAside:
    """data.labels: joined by id where the flux has ids, else by row."""

    def opened(self, folder, labels, **arrays):
        (folder / "labels.csv").write_text(labels)
        return opened(folder, {"labels": str(folder / "labels.csv")}, flux=FLUX, **arrays)

    def test_by_id_in_any_order_and_from_a_larger_table(self, tmp_path):
        reader = self.opened(tmp_path, "id,type\n9,x\n4,d\n3,c\n1,a\n2,b\n", id=[1, 2, 3, 4])
        assert reader.catalog()["label"].tolist() == list("abcd")
        assert reader.catalog()["id"].tolist() == list("1234")

    def test_ids_that_the_table_lacks_are_refused(self, tmp_path):
        with pytest.raises(UserError, match=r"labels.csv lacks 2 of the 4 ids 'id' in data.path=.*, the first is '3'"):
            self.opened(tmp_path, "id,type\n1,a\n2,b\n", id=[1, 2, 3, 4]).catalog()

    def test_a_table_without_ids_is_refused_if_the_flux_has_them(self, tmp_path):
        with pytest.raises(UserError, match=r"has ids, but data.labels=.* has none: data.id_key"):
            self.opened(tmp_path, "type\na\nb\nc\nd\n", id=[1, 2, 3, 4]).catalog()

    @pytest.mark.parametrize("labels", ["type\na\nb\nc\nd\n", "id,type\n9,a\n8,b\n7,c\n6,d\n"])
    def test_by_row_only_without_ids_next_to_the_flux_and_said(self, tmp_path, caplog, labels):
        with caplog.at_level("INFO"):
            assert self.opened(tmp_path, labels).catalog()["label"].tolist() == list("abcd")
        assert "is joined by row" in caplog.text


@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_those_asked_for_also_if_they_follow_one_another(tmp_path, order):
    np.savez(tmp_path / "survey.npz", flux=np.asarray(FLUX, order=order))
    flux = map_npz(tmp_path / "survey.npz", "survey.npz")["flux"]
    for rows in ([1, 2, 3], [0], [3, 2], [0, 2], [1, 1], []):
        np.testing.assert_array_equal(flux.rows(np.array(rows, dtype=np.int64)), FLUX[np.array(rows, dtype=np.int64)])
    for rows in ([3, 4], [4]):
        with pytest.raises(IndexError):
            flux.rows(np.array(rows))


def test_whole_numbers_that_one_of_two_files_has_stay_exact(tmp_path):
    np.savez(tmp_path / "a.npz", flux=FLUX[:2], objid=2**62 + np.arange(2))
    np.savez(tmp_path / "b.npz", flux=FLUX[2:])
    catalog = open_arrays(str(tmp_path / "a.npz"), test_path=str(tmp_path / "b.npz")).catalog()
    assert catalog["objid"].tolist()[:2] == [2**62 + i for i in range(2)]


def test_float_ids_that_are_not_exact_are_refused(tmp_path):
    np.savez(tmp_path / "survey.npz", flux=FLUX, id=2.0**62 + 4096.0 * np.arange(len(FLUX)))
    with pytest.raises(UserError, match=r"'id' in .* holds floats beyond 2\*\*53"):
        open_arrays(str(tmp_path / "survey.npz")).catalog()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_bytes_that_changed_since_they_were_written_are_noticed(tmp_path, save):
    path = tmp_path / "survey.npz"
    save(path, flux=np.random.default_rng(0).normal(size=(40, 50)))
    assert len(open_arrays(str(path)).catalog()) == 40
    content = bytearray(path.read_bytes())
    content[5000:5100] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"survey.npz is not a whole NPZ file: (Bad CRC-32|Error)"):
        open_arrays(str(path)).catalog()
