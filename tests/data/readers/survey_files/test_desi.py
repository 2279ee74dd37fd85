"""`data=desi`: coadd and spectra files, their arms joined."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from desi_files import ARMS, FIRST_ID, NUM_PIXELS, WAVE, arms_of, write_desi, write_redrock

from spectral.configs.data import GridConfig, readers
from spectral.configs.survey_files import DesiConfig
from spectral.data.packing.gridded import on_grid
from spectral.data.packing.pack import open_or_pack
from spectral.data.readers.survey_files.reader import SurveyFilesReader
from spectral.errors import UserError
from spectral.survey import Survey

IDS = [FIRST_ID + 2 * i for i in range(5)]
GRID = {"kind": "linear", "start_angstrom": 3600.0, "stop_angstrom": float(WAVE[-1]), "step": 0.8}


def config(folder: Path, **options: object) -> DesiConfig:
    return readers.typed({"name": "desi", "folder": str(folder), "num_workers": 1, "grid": GRID, **options})


def opened(folder: Path, **options: object) -> SurveyFilesReader:
    return readers.build(config(folder, **options), cache_dir=folder.parent / "cache")


def packed(folder: Path, **options: object) -> Survey:
    return open_or_pack(opened(folder, **options), config(folder, **options), folder.parent / "cache", progress=False)


def joined_by_hand(arms: dict[str, dict[str, np.ndarray]], row: int, bits: int = -1) -> tuple[np.ndarray, ...]:
    """Pixel by pixel: flux, inverse variance, mask."""
    flux, ivar, bad = np.zeros(NUM_PIXELS), np.zeros(NUM_PIXELS), np.zeros(NUM_PIXELS, bool)
    for pixel in range(NUM_PIXELS):
        here = [
            (arm["flux"][row, pixel - start], arm["ivar"][row, pixel - start], arm["mask"][row, pixel - start] & bits)
            for arm, (start, stop) in zip(arms.values(), ARMS.values(), strict=True)
            if start <= pixel < stop
        ]
        good = [(float(f), float(w)) for f, w, flag in here if not flag and w > 0]
        good = good or [(float(f), float(w)) for f, w, _ in here if w > 0]
        ivar[pixel] = sum(w for _, w in good)
        bad[pixel] = any(flag for *_, flag in here) and not any(not flag and w > 0 for _, w, flag in here)
        flux[pixel] = sum(f * w for f, w in good) / ivar[pixel] if good else np.nan
    return flux, ivar, bad


def test_arms_are_joined_by_inverse_variance_on_their_common_lattice(tmp_path: Path) -> None:
    arms = write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS)
    chunk = opened(tmp_path / "d").read(np.array([4, 0, 1, 2]))
    for position, row in enumerate([4, 0, 1, 2]):
        flux, ivar, bad = joined_by_hand(arms, row)
        known = np.isfinite(flux)
        np.testing.assert_allclose(chunk.wave_angstrom[position], WAVE)
        np.testing.assert_allclose(chunk.flux[position][0, known], flux[known], rtol=2e-7)
        np.testing.assert_allclose(chunk.ivar[position][0], ivar, rtol=2e-7)
        np.testing.assert_array_equal(chunk.mask[position], bad)
        assert bad.any() and (~known & ~bad).any()  # both a flag and no inverse variance were met


def test_a_flagged_pixel_is_bad_if_the_other_arm_has_no_weight_there(tmp_path: Path) -> None:
    arms, pixel = arms_of(1), ARMS["R"][0]  # the first that b and r share
    for name, flag, ivar in (("B", 4, 1.0), ("R", 0, 0.0)):
        place = pixel - ARMS[name][0]
        arms[name]["mask"][0, place], arms[name]["ivar"][0, place] = flag, ivar
    write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS[:1], arms)
    chunk = opened(tmp_path / "d").read(np.array([0]))
    assert chunk.mask[0][pixel]


def test_a_pixel_of_one_arm_alone_is_copied_bit_by_bit_to_the_pack(tmp_path: Path) -> None:
    arms = write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS)
    survey = packed(tmp_path / "d")
    alone = slice(0, ARMS["R"][0])
    good = (arms["B"]["mask"][:, alone] == 0) & (arms["B"]["ivar"][:, alone] > 0)
    np.testing.assert_array_equal(survey.flux[:, 0, alone][good], arms["B"]["flux"][:, alone][good])
    np.testing.assert_array_equal(survey.mask[:, alone], ~good)


def test_an_arm_that_is_missing_is_masked_and_the_others_are_copied(tmp_path: Path) -> None:
    arms = {name: arm for name, arm in arms_of(2).items() if name != "R"}
    write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS[:2], arms)
    survey = packed(tmp_path / "d")
    for name, (start, stop) in (("B", ARMS["B"]), ("Z", ARMS["Z"])):
        good = (arms[name]["mask"] == 0) & (arms[name]["ivar"] > 0)
        np.testing.assert_array_equal(survey.flux[:, 0, start:stop][good], arms[name]["flux"][good])
        np.testing.assert_array_equal(survey.mask[:, start:stop], ~good)
    assert survey.mask[:, ARMS["B"][1] : ARMS["Z"][0]].all()


def test_ids_of_64_bits_stay_exact_and_labels_are_those_of_redrock(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS)
    classes = ["QSO", "GALAXY", "STAR", "STAR"]
    write_redrock(tmp_path / "d" / "redrock-sv3-bright-10378.fits", IDS[3::-1], classes, ZWARN=[0, 0, 4, 0])
    catalog = opened(tmp_path / "d").catalog()
    assert catalog["id"].tolist() == catalog["group"].tolist() == [str(i) for i in IDS]
    assert catalog["label"].fillna("-").tolist() == ["star", "-", "galaxy", "qso", "-"]
    assert catalog["redshift"].tolist()[:4] == pytest.approx([0.3, 0.2, 0.1, 0.0])
    assert catalog["snr"].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5] and catalog["ra_deg"][2] == pytest.approx(150.2)
    kept = opened(tmp_path / "d", zwarn_labels=True).catalog()
    assert kept["label"].fillna("-").tolist() == ["star", "star", "galaxy", "qso", "-"]


def test_redshifts_that_are_written_again_in_place_are_read_again(tmp_path: Path) -> None:
    redshifts = tmp_path / "d" / "redrock-sv3-bright-10378.fits"
    write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS[:2])
    write_redrock(redshifts, IDS[:2], ["QSO", "GALAXY"])
    before = opened(tmp_path / "d")
    assert before.catalog()["label"].tolist() == ["qso", "galaxy"]
    write_redrock(tmp_path / "new.fits", IDS[:2], ["STAR", "GALAXY"])
    redshifts.write_bytes((tmp_path / "new.fits").read_bytes())  # the folder's own time stays
    after = opened(tmp_path / "d")
    assert after.catalog()["label"].tolist() == ["star", "galaxy"] and after.fingerprint() != before.fingerprint()


def test_an_exposure_is_a_spectrum_and_its_object_the_group(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    write_desi(folder / "coadd-sv3-bright-10378.fits", IDS[:2])
    write_desi(folder / "spectra-sv3-bright-10378.fits", [IDS[0], IDS[0], IDS[1]], exposures=[80611, 80612, 80612])
    write_redrock(folder / "redrock-sv3-bright-10378.fits", IDS[:2], ["STAR", "QSO"])
    catalog = opened(folder, kind="spectra").catalog()
    assert catalog["id"].tolist() == [f"{IDS[0]}-80611", f"{IDS[0]}-80612", f"{IDS[1]}-80612"]
    assert catalog["group"].tolist() == [str(i) for i in (IDS[0], IDS[0], IDS[1])]
    assert catalog["label"].tolist() == ["star", "star", "qso"]
    assert len(opened(folder).catalog()) == 2  # the coadds alone


def test_an_object_in_several_files_is_told_apart_by_them_and_stays_one_group(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "sv3" / "coadd-sv3-bright-10378.fits", IDS[:2])
    write_desi(tmp_path / "d" / "main" / "coadd-main-dark-10378.fits", IDS[1:3])
    catalog = opened(tmp_path / "d").catalog()
    expected = [f"{IDS[1]}-main-dark-10378", f"{IDS[2]}", f"{IDS[0]}", f"{IDS[1]}-sv3-bright-10378"]
    assert catalog["id"].tolist() == expected
    assert catalog["group"].tolist() == [str(i) for i in (IDS[1], IDS[2], IDS[0], IDS[1])]
    assert catalog["short_id"].fillna("-").tolist() == [str(IDS[1]), "-", "-", str(IDS[1])]


def test_flags_have_desis_names(tmp_path: Path) -> None:
    arms = write_desi(tmp_path / "d" / "coadd-sv3-bright-10378.fits", IDS)
    chunk = opened(tmp_path / "d", bad_flags=["COSMIC", "BAD2DFIT"]).read(np.array([0]))
    np.testing.assert_array_equal(chunk.mask[0], joined_by_hand(arms, 0, bits=0b10000100)[2])
    with pytest.raises(UserError, match=r"data.bad_flags=COSMICS is no flag of this survey: did you mean 'COSMIC'"):
        opened(tmp_path / "d", bad_flags=["COSMICS"])


def test_a_compressed_file_and_one_without_masks_are_read(tmp_path: Path) -> None:
    arms = {name: {kind: v for kind, v in arm.items() if kind != "mask"} for name, arm in arms_of(3).items()}
    write_desi(tmp_path / "d" / "coadd-main-dark-1.fits.gz", IDS[:3], arms)
    chunk = opened(tmp_path / "d").read(np.array([2]))
    np.testing.assert_array_equal(chunk.flux[0][0, 45:], arms["Z"]["flux"][2, 9:])
    assert not chunk.mask[0].any()


def test_a_pickled_reader_is_small_and_reads_the_same(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "coadd-main-dark-1.fits", IDS)
    reader = opened(tmp_path / "d")
    reader.catalog()
    raw = pickle.dumps(reader)
    assert len(raw) < 4000
    rows = np.array([3, 1])
    np.testing.assert_array_equal(pickle.loads(raw).read(rows).flux, reader.read(rows).flux)


def rewritten(path: Path, change: object) -> None:
    with fits.open(path) as hdus:
        kept = fits.HDUList([hdu.copy() for hdu in hdus])
    change(kept)
    kept.writeto(path, overwrite=True)


def shifted(hdus: fits.HDUList) -> None:
    hdus["R_WAVELENGTH"].data += 0.3


def without(name: str):
    return lambda hdus: hdus.pop(hdus.index_of(name))


def renamed(name: str, other: str):
    def change(hdus: fits.HDUList) -> None:
        hdus[name].name = other

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (shifted, "wrong layout: arms overlap, but have other pixels there"),
        (without("R_IVAR"), "wrong layout: no HDU R_IVAR with rows of 25 pixels"),
        (without("B_WAVELENGTH"), None),  # the arms r and z are read
        (renamed("Z_FLUX", "Z_FLUXES"), "wrong layout: no HDU Z_FLUX with rows of 24 pixels"),
    ],
)
def test_a_file_of_another_layout_is_reported(tmp_path: Path, change: object, reason: str | None) -> None:
    path = tmp_path / "d" / "coadd-main-dark-1.fits"
    write_desi(path, IDS)
    rewritten(path, change)
    chunk = opened(tmp_path / "d").read(np.array([0, 3]))
    if reason is None:
        assert len(chunk.wave_angstrom[0]) == NUM_PIXELS - ARMS["R"][0]
    else:
        assert all(chunk.problems[i].startswith(reason) for i in (0, 1)) and chunk.flux == [None, None]


def test_rows_that_fluxes_lack_are_reported_each(tmp_path: Path) -> None:
    path = tmp_path / "d" / "coadd-main-dark-1.fits"
    arms = arms_of(5)
    arms["B"]["flux"] = arms["B"]["flux"][:3]
    write_desi(path, IDS, arms)
    assert "B_FLUX is of [3, 20], no image with a row 4" in opened(tmp_path / "d").read(np.array([1, 4])).problems[1]


@pytest.mark.parametrize("damage", ["cut short", "empty", "text", "no fibermap"])
def test_a_damaged_file_is_one_bad_row_and_others_are_read(tmp_path: Path, damage: str) -> None:
    write_desi(tmp_path / "d" / "coadd-main-dark-1.fits", IDS)
    path = tmp_path / "d" / "coadd-main-dark-2.fits"
    write_desi(path, [i + 100 for i in IDS])
    match damage:
        case "cut short":
            path.write_bytes(path.read_bytes()[:5800])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("no spectra here\n" * 500)
        case "no fibermap":
            rewritten(path, without("FIBERMAP"))
    reader = opened(tmp_path / "d")
    catalog = reader.catalog()
    assert catalog["id"].tolist() == [*map(str, IDS), "coadd-main-dark-2"]
    chunk = reader.read(np.arange(6))
    assert list(chunk.problems) == [5] and "coadd-main-dark-2.fits" in chunk.problems[5]
    assert len(packed(tmp_path / "d", on_bad="skip")) == 5


def test_a_damaged_redshift_file_does_not_pass_for_none(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "coadd-main-dark-1.fits", IDS)
    (tmp_path / "d" / "redrock-main-dark-1.fits").write_text("no redshifts")
    reader = opened(tmp_path / "d")
    assert len(reader.catalog()) == 1
    assert reader.read(np.array([0])).problems[0].startswith("unreadable redshifts: redrock-main-dark-1.fits")


def test_a_folder_without_coadds_says_what_is_looked_for(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "spectra-main-dark-1.fits", IDS, exposures=range(5))
    with pytest.raises(UserError, match=r"holds no file whose name begins with coadd- and ends in .fits or .fits.gz"):
        opened(tmp_path / "d")


def test_the_default_grid_is_the_surveys_own() -> None:
    grid = DesiConfig(folder="x").grid
    assert grid == GridConfig("linear", start_angstrom=3600.0, stop_angstrom=9824.0, step=0.8)


def test_survey_json_says_which_wavelengths_are_packed(tmp_path: Path) -> None:
    write_desi(tmp_path / "d" / "coadd-main-dark-1.fits", IDS)
    reader = on_grid(opened(tmp_path / "d"), config(tmp_path / "d").grid)
    assert (reader.wave_unit, reader.wave_medium) == ("angstrom", "vacuum")
    np.testing.assert_allclose(packed(tmp_path / "d").wave_angstrom, WAVE)


def test_the_spectra_of_a_file_that_is_cut_short_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "d" / "coadd-main-dark-1.fits"
    write_desi(path, IDS)
    with fits.open(path) as hdus:
        start = hdus["Z_MASK"].fileinfo()["datLoc"]
    path.write_bytes(path.read_bytes()[: start + 3 * 24 * 4])
    reader = opened(tmp_path / "d")
    assert len(reader.catalog()) == 5
    assert all("Z_MASK ends" in problem for problem in reader.read(np.arange(5)).problems.values())
