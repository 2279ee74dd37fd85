"""HDF5 files of arrays: `data=hdf5`, or data=arrays by their ending."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from spectral.configs.data import readers
from spectral.data.packing.gridded import on_grid
from spectral.data.packing.pack import open_or_pack
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError

FLUX = np.arange(42, dtype=np.float32).reshape(7, 6)
IDS = np.arange(7) + 2**60 + 1


def saved(folder, **arrays):
    with h5py.File(folder / "survey.h5", "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return str(folder / "survey.h5")


def test_a_logarithm_named_by_its_path_is_one(tmp_path):
    path = saved(tmp_path, **{"flux": FLUX, "coadd/loglam": np.linspace(3.6, 3.7, 6), "model/loglam": np.zeros(6)})
    reader = open_arrays(path, wave_key="coadd/loglam")
    np.testing.assert_allclose(reader.wave_angstrom(), 10 ** np.linspace(3.6, 3.7, 6))


def test_every_array_of_a_survey_is_read(tmp_path):
    path = saved(
        tmp_path,
        flux=FLUX.astype(">f8"),
        wave=np.linspace(4000, 4005, 6),
        ivar=FLUX + 1,
        mask=FLUX % 5 == 0,
        id=IDS,
        label=np.array(["star", "qso", "", "star", "star", "star", "star"], dtype=h5py.string_dtype()),
        group=np.array([b"a ", b"b", b"a", b"a", b"a", b"a", b"a"]),
        z=np.arange(7.0),
        images=np.ones((7, 2, 2, 2)),
    )
    reader = open_arrays(path)
    catalog = reader.catalog()
    assert catalog["id"].tolist() == [str(i) for i in IDS]
    assert catalog["label"].fillna("-").tolist() == ["star", "qso", "-", *["star"] * 4]
    assert catalog["group"].tolist() == list("abaaaaa") and catalog["redshift"].tolist() == list(range(7))
    rows = np.array([5, 0, 1, 2, 5])
    chunk = reader.read(rows)
    np.testing.assert_array_equal(np.concatenate(chunk.flux), FLUX[rows])
    np.testing.assert_array_equal(np.concatenate(chunk.ivar), FLUX[rows] + 1)
    np.testing.assert_array_equal(np.stack(chunk.mask), FLUX[rows] % 5 == 0)
    np.testing.assert_array_equal(reader.wave_angstrom(), np.linspace(4000, 4005, 6))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).read(rows).flux, chunk.flux)
    assert reader.read(np.arange(0)).flux == []


def test_datasets_in_groups_are_named_by_their_paths(tmp_path):
    arrays = {"spectra/flux": FLUX, "model/flux": -FLUX, "spectra/lam": np.arange(6) + 400.0, "catalog/class": IDS}
    path = saved(tmp_path, **arrays)
    with pytest.raises(UserError, match=r"has no 'flux', name it by data.flux_key: .*it has .*model/flux"):
        open_arrays(path).catalog()
    reader = open_arrays(path, flux_key="spectra/flux", wave_key="spectra/lam", wave_unit="nm", id_key="/catalog/class")
    assert reader.catalog()["id"].tolist() == [str(i) for i in IDS]
    np.testing.assert_array_equal(reader.wave_angstrom(), 10 * (np.arange(6) + 400.0))
    np.testing.assert_array_equal(reader.read(np.array([3])).flux[0], FLUX[3:4])


def test_names_that_only_one_dataset_ends_in_need_no_path(tmp_path):
    reader = open_arrays(saved(tmp_path, **{"spectra/flux": FLUX, "catalog/Label": list("abcabca")}))
    assert reader.catalog()["label"].tolist() == list("abcabca")
    np.testing.assert_array_equal(reader.read(np.array([3])).flux[0], FLUX[3:4])


def test_records_are_read_by_their_fields(tmp_path):
    """As astropy writes a table."""
    records = np.zeros(7, [("TARGETID", "i8"), ("FLUX", "f4", (6,)), ("CLASS", "S4")])
    records["TARGETID"], records["FLUX"], records["CLASS"] = IDS, FLUX, [b"STAR"] * 6 + [b"QSO"]
    reader = open_arrays(saved(tmp_path, table=records), id_key="TARGETID")
    assert reader.catalog()["id"].tolist() == [str(i) for i in IDS]
    assert reader.catalog()["label"].tolist() == ["STAR"] * 6 + ["QSO"]
    np.testing.assert_array_equal(np.concatenate(reader.read(np.array([6, 2])).flux), FLUX[[6, 2]])


def test_each_spectrum_may_have_its_own_wavelengths(tmp_path):
    waves = 4000 + np.arange(6) + np.arange(7)[:, None]
    config = readers.typed({"name": "arrays", "path": saved(tmp_path, flux=FLUX, wave=waves), "num_workers": 1})
    reader = readers.build(config)
    np.testing.assert_array_equal(reader.read(np.array([4])).wave_angstrom[0], waves[4])
    with pytest.raises(UserError, match=r"data.grid.kind=native is not allowed"):
        on_grid(reader, config.grid)
    config.grid.kind, config.grid.start_angstrom, config.grid.stop_angstrom, config.grid.step = "linear", 4e3, 4011, 1
    survey = open_or_pack(reader, config, tmp_path / "packs", progress=False)
    for row in range(7):
        np.testing.assert_array_equal(survey.flux[row, 0, row : row + 6], FLUX[row])
        assert survey.mask[row].sum() == 6 and not survey.mask[row, row : row + 6].any()


def test_compressed_chunks_are_read(tmp_path):
    with h5py.File(tmp_path / "survey.hdf5", "w") as file:
        file.create_dataset("flux", data=FLUX, chunks=(2, 3), compression="gzip", shuffle=True)
    reader = open_arrays(str(tmp_path / "survey.hdf5"))
    np.testing.assert_array_equal(np.concatenate(reader.read(np.array([1, 2, 6])).flux), FLUX[[1, 2, 6]])


def test_a_virtual_dataset_may_be_larger_than_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr("spectral.data.readers.hdf5_file.MOST_COMPRESSED", 0.01)  # as if FLUX were large
    source = Path(saved(tmp_path, flux=FLUX)).rename(tmp_path / "part.h5")
    layout = h5py.VirtualLayout(FLUX.shape, FLUX.dtype)
    layout[:] = h5py.VirtualSource(str(source), "flux", FLUX.shape)
    with h5py.File(tmp_path / "survey.h5", "w") as file:
        file.create_virtual_dataset("flux", layout)
    reader = open_arrays(str(tmp_path / "survey.h5"))
    np.testing.assert_array_equal(np.concatenate(reader.read(np.array([5, 1])).flux), FLUX[[5, 1]])


@pytest.mark.parametrize(
    ("arrays", "options", "sentence"),
    [
        ({"flux": FLUX, "ivar": FLUX[:, :4]}, {}, r"'ivar' in .* has shape \[7, 4\]: for its flux it must be \[7, 6\]"),
        ({"flux": FLUX, "wave": FLUX[0, :4]}, {}, r"has shape \[4\]: for its flux it must be \[6\] or \[7, 6\]"),
        ({"flux": FLUX, "id": IDS[:3]}, {}, r"'id' in .* has shape \[3\], but there are 7 spectra"),
        ({"flux": FLUX[0]}, {}, r"has shape \[6\], not \[N, L\]"),
        ({"flux": FLUX.astype("S4")}, {}, "holds .S4, not real numbers"),
        ({"flux": FLUX * 1j}, {}, "not real numbers"),
        ({"spectra": FLUX[0]}, {}, "has no 'flux', name it by data.flux_key: .*it has spectra"),
        ({"flux": FLUX}, {"ivar_key": "weight"}, "has no 'weight' .data.ivar_key.: it has flux"),
        ({"flux": FLUX}, {"label_key": "kind"}, "has no 'kind' .data.label_key."),
    ],
)
def test_arrays_that_do_not_fit_are_one_sentence(tmp_path, arrays, options, sentence):
    with pytest.raises(UserError, match=sentence):
        open_arrays(saved(tmp_path, **arrays), **options).catalog()


def test_lists_of_different_lengths_are_refused(tmp_path):
    with h5py.File(tmp_path / "survey.h5", "w") as file:
        file.create_dataset("flux", (7,), h5py.vlen_dtype(np.float32))
        file["flux"][2] = np.arange(3)
    with pytest.raises(UserError, match=r"The flux in .* has shape \[7\], not \[N, L\]"):
        open_arrays(str(tmp_path / "survey.h5")).catalog()


@pytest.mark.parametrize("damage", ["text", "empty", "cut short"])
def test_a_damaged_file_is_one_sentence(tmp_path, damage):
    path = saved(tmp_path, flux=FLUX)
    raw = (tmp_path / "survey.h5").read_bytes()
    damaged = {"text": b"no spectra here\n" * 100, "empty": b"", "cut short": raw[: len(raw) // 2]}[damage]
    (tmp_path / "survey.h5").write_bytes(damaged)
    with pytest.raises(UserError, match=r"data.path=.* cannot be read: (empty file|not a whole HDF5 file: .*)\.$"):
        open_arrays(path).catalog()


def test_damage_inside_is_one_sentence(tmp_path):
    with h5py.File(tmp_path / "survey.h5", "w") as file:
        file.create_dataset("flux", data=np.random.default_rng(0).random((64, 64)), chunks=(8, 64), compression="gzip")
        start = file["flux"].id.get_chunk_info(3).byte_offset
    reader = open_arrays(str(tmp_path / "survey.h5"))
    reader.catalog()
    raw = bytearray((tmp_path / "survey.h5").read_bytes())
    raw[start : start + 200] = bytes(200)
    (tmp_path / "survey.h5").write_bytes(bytes(raw))
    assert reader.read(np.array([0])).flux[0].shape == (1, 64)
    with pytest.raises(UserError, match=r"'flux' in data.path=.* cannot be read: not a whole HDF5 file"):
        reader.read(np.arange(64))


def test_a_dataset_for_each_spectrum_is_refused_soon(tmp_path, monkeypatch):
    monkeypatch.setattr("spectral.data.readers.arrays.hdf5_map.MOST_DATASETS", 20)
    path = saved(tmp_path, **{f"s{i}/flux": FLUX[0] for i in range(30)})
    with pytest.raises(UserError, match="holds more than 20 datasets: arrays with a row for each spectrum are read"):
        open_arrays(path).catalog()


def test_a_name_that_is_not_utf8_does_no_harm(tmp_path):
    with h5py.File(saved(tmp_path, flux=FLUX), "a") as file:
        file[b"\xff"] = FLUX
    assert open_arrays(str(tmp_path / "survey.h5")).catalog()["id"].tolist() == list("0123456")
