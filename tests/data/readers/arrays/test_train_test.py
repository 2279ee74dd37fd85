"""`data.path` and `data.test_path`: two files, one to train on and one to test on."""

import numpy as np
import pandas as pd
import pytest

from spectral.configs.data import readers
from spectral.data.packing.pack import pack
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError

NUM, LENGTH = 20, 5
FLUX = np.random.default_rng(0).normal(size=(NUM, LENGTH)).astype(np.float32)
LABELS = np.random.default_rng(1).choice(["star", "qso", "odd one"], NUM)


def test_two_files_of_any_form_are_train_and_test(tmp_path):
    np.savez(tmp_path / "a.npz", flux=FLUX[:4], type=LABELS[:4], ivar=FLUX[:4] ** 2)
    np.savez(tmp_path / "b.npz", flux=FLUX[4:7], type=LABELS[4:7], ivar=FLUX[4:7] ** 2)
    reader = open_arrays(str(tmp_path / "a.npz"), test_path=str(tmp_path / "b.npz"))
    catalog = reader.catalog()
    assert catalog["split"].tolist() == ["train"] * 4 + ["test"] * 3
    assert catalog["id"].is_unique and catalog["label"].tolist() == LABELS[:7].tolist()
    chunk = reader.read(np.array([6, 0, 4]))
    np.testing.assert_array_equal(np.concatenate(chunk.flux), FLUX[[6, 0, 4]])
    np.testing.assert_array_equal(np.concatenate(chunk.ivar), FLUX[[6, 0, 4]] ** 2)


def test_an_option_may_be_of_use_for_one_of_two_files(tmp_path):
    np.savez(tmp_path / "a.npz", spectra=FLUX[:4], other=FLUX[:4])
    np.savetxt(
        tmp_path / "b.csv", FLUX[4:7, 0], delimiter=",", header=",".join(f"p{k}" for k in range(LENGTH)), comments=""
    )
    reader = open_arrays(str(tmp_path / "a.npz"), test_path=str(tmp_path / "b.csv"), flux_key="spectra")
    assert reader.catalog()["split"].tolist() == ["train"] * 4 + ["test"] * 3


def test_truth_values_that_one_of_two_files_lacks_stay_truth_values(tmp_path):
    for name, good in {"a": [True, False], "b": [True, None]}.items():
        frame = pd.DataFrame({"flux": [[1.0, 2.0], [3.0, 4.0]], "good": pd.array(good, dtype="boolean")})
        frame.to_parquet(tmp_path / f"{name}.parquet")
    reader = open_arrays(str(tmp_path / "a.parquet"), test_path=str(tmp_path / "b.parquet"))
    assert [None if pd.isna(value) else value for value in reader.catalog()["good"]] == [True, False, True, None]


def test_two_files_on_different_grids_are_refused(tmp_path):
    for name, start in [("a.npz", 3690), ("b.npz", 3700)]:
        np.savez(tmp_path / name, flux=FLUX[:4], wave=start + np.arange(LENGTH))
    reader = open_arrays(str(tmp_path / "a.npz"), test_path=str(tmp_path / "b.npz"))
    with pytest.raises(UserError, match="different wavelengths"):
        reader.wave_angstrom()


def test_a_mask_of_one_of_two_files_is_kept(tmp_path):
    mask = FLUX[4:7] > 0
    np.savez(tmp_path / "a.npz", flux=FLUX[:4])
    np.savez(tmp_path / "b.npz", flux=FLUX[4:7], mask=mask)
    reader = open_arrays(str(tmp_path / "a.npz"), test_path=str(tmp_path / "b.npz"))
    reader.catalog()
    chunk = reader.read(np.array([6, 0]))
    np.testing.assert_array_equal(chunk.mask, [mask[2], np.zeros(LENGTH, bool)])


@pytest.mark.parametrize("with_ivar", ["a", "b"])
def test_ivar_of_one_of_two_files_is_refused(tmp_path, with_ivar):
    for name in "ab":
        np.savez(tmp_path / f"{name}.npz", flux=FLUX[:4], **({"ivar": FLUX[:4] ** 2} if name == with_ivar else {}))
    reader = open_arrays(str(tmp_path / "a.npz"), test_path=str(tmp_path / "b.npz"))
    with pytest.raises(UserError, match=r"has ivar and data\.\w+ has none: save it in both files, or in neither"):
        reader.catalog()


@pytest.mark.parametrize("other", [{}, {"ivar": [[1.0]] * 4}])
@pytest.mark.parametrize("with_ivar", ["path", "test_path"])
def test_a_list_column_of_ivar_in_one_of_two_tables_is_left_out(tmp_path, caplog, with_ivar, other):
    """By its name alone it cannot be turned off."""
    paths = {key: str(tmp_path / f"{key}.parquet") for key in ("path", "test_path")}
    for key, path in paths.items():
        columns = {"ivar": [[1.0, 2.0]] * 4} if key == with_ivar else other
        pd.DataFrame({"flux": [[1.0, 2.0]] * 4, **columns}).to_parquet(path)
    reader = open_arrays(**paths)
    assert len(reader.catalog()) == 8 and reader.read(np.array([0, 7])).ivar is None
    lacks = "test_path" if with_ivar == "path" else "path"
    assert f"the column 'ivar' is left out, since data.{lacks} has none that fits" in caplog.text


def test_a_column_with_numbers_in_one_of_two_files_and_words_in_the_other_is_text(tmp_path):
    flux = {f"p{position}": [1.0, 2.0, 3.0] for position in range(9)}
    nights = pd.array([7, 8, None], dtype="Int64")
    pd.DataFrame({"label": list("aba"), "night": nights, **flux}).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"label": list("bab"), "night": [9, "9b", 10], **flux}).to_csv(tmp_path / "b.csv", index=False)
    config = readers.typed({"name": "arrays", "path": str(tmp_path / "a.csv"), "test_path": str(tmp_path / "b.csv")})
    survey = pack(readers.build(config), config, tmp_path / "pack", progress=False)
    assert survey.catalog["night"].fillna("-").tolist() == ["7", "8", "-", "9", "9b", "10"]


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        (("label,p0,p1,p2\n", "label,p0,p1,p2\n"), ""),
        (("label,p0,p1,p2\n", "label,p2,p1,p0\n"), "'p0' in one is 'p2' in the other"),
        (("label,p0,p1,p2\n", ""), ""),
        (("label,400nm,500nm,600nm\n", "label,400.0nm,500.0nm,600.0nm\n"), ""),
    ],
)
def test_pixels_that_the_two_files_call_otherwise_are_warned_of(tmp_path, caplog, headers, sentence):
    for name, header in zip("ab", headers, strict=True):
        (tmp_path / f"{name}.csv").write_text(f"{header}star,1,3,2\nqso,4,6,5\n")
    assert len(open_arrays(str(tmp_path / "a.csv"), test_path=str(tmp_path / "b.csv")).catalog()) == 4
    assert sentence in caplog.text and bool(caplog.text) == bool(sentence)
