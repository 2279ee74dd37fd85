"""Properties of NPZ and NPY files alone."""

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
