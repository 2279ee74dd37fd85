import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from toy_reader import ToyReader, config, files_of, packed, toy_flux

from spectral.configs import simulated as _simulated  # noqa: F401  (registers itself)
from spectral.data.packing.pack import pack
from spectral.errors import UserError


def test_a_pack_holds_what_was_read(tmp_path: Path) -> None:
    survey = packed(tmp_path, ToyReader(num=40, num_channels=2, wave=12))
    assert (len(survey), survey.num_channels, survey.length, survey.num_classes) == (40, 2, 12, 2)
    np.testing.assert_array_equal(survey.flux, [toy_flux(row, 2, 12) for row in range(40)])
    assert survey.flux.dtype == np.float32 and isinstance(survey.flux, np.memmap)
    assert survey.class_names == ("star", "galaxy")  # the contest's order
    assert survey.labels[:4].tolist() == [0, 1, 0, -1]
    assert survey.catalog["label"].isna().sum() == 10
    assert survey.catalog["id"].tolist() == [f"s{row}" for row in range(40)]
    assert survey.catalog["length"].eq(12).all()
    np.testing.assert_allclose(survey.catalog["snr"], np.arange(40) / 2)
    np.testing.assert_array_equal(survey.wave_angstrom, np.linspace(4000, 7000, 12))
    assert survey.ivar is None and survey.mask is None and survey.skipped == {}


def test_a_column_of_the_source_that_is_called_as_one_of_the_packs_own_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = ToyReader.catalog
    monkeypatch.setattr(ToyReader, "catalog", lambda self: catalog(self).assign(length=7.5, class_index="c"))
    kept = packed(tmp_path, ToyReader()).catalog
    assert kept["length"].eq(12).all() and kept["class_index"][:4].tolist() == [0, 1, 0, -1]
    assert kept["length_in_source"].eq(7.5).all() and kept["class_index_in_source"].eq("c").all()


def test_processes_and_part_sizes_do_not_change_the_pack(tmp_path: Path) -> None:
    reader = ToyReader(num=50, lengths={3: 5, 20: 15}, with_ivar=True, bad_pixels={30: 2}, unreadable={9: "gone"})
    options = {"ragged": "pad", "on_bad": "skip"}
    one = pack(reader, config(**options, rows_per_part=1000), tmp_path / "one", progress=False)
    two = pack(reader, config(**options, rows_per_part=3, num_workers=2), tmp_path / "two", progress=False)
    assert one.fingerprint == two.fingerprint
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert {path.name for path in tmp_path.iterdir() if "building" in path.name} == set()


def test_ivar_and_bad_pixels_are_kept(tmp_path: Path) -> None:
    survey = packed(tmp_path, ToyReader(with_ivar=True, bad_pixels={8: 4}))
    assert survey.ivar is not None and survey.mask is not None
    assert (survey.ivar[:, 0, 0] == 0).all() and (survey.ivar[:, 0, 1:] == 2).all()
    unknown = np.zeros((40, 12), bool)
    unknown[:, 0] = unknown[8, 4] = True  # inverse variance NaN in pixel 0
    np.testing.assert_array_equal(survey.mask, unknown)


def test_pixels_without_inverse_variance_are_bad_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        survey = packed(tmp_path, ToyReader(with_ivar=True, not_finite={}, bad_pixels={8: 0}))
    assert survey.mask is not None and survey.mask[:, 0].all() and survey.mask.sum() == 40
    assert "39 pixels (8.1 %) in 39 spectra have no inverse variance above 0 and are masked" in caplog.text
    told = pack(ToyReader(with_ivar=True), config(ivar_masks=False), tmp_path / "all", progress=False)
    assert told.mask is None and told.fingerprint != survey.fingerprint


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_flux_may_be_anything_where_inverse_variance_is_0_or_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    read = ToyReader.read

    def with_gap(self: ToyReader, rows: Any) -> Any:
        chunk = read(self, rows)
        chunk.ivar = [np.where(np.arange(12)[None] == 3, value, 2).astype(np.float32) for _ in rows]
        return chunk

    monkeypatch.setattr(ToyReader, "read", with_gap)
    survey = packed(tmp_path, ToyReader(not_finite={11: np.nan}))
    assert survey.mask is not None and survey.mask[:, 3].all() and survey.mask.sum() == 40


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("ivar", (1, 1), r"ivar of wrong shape: \[1, 1\], the flux has \[1, 12\]"),
        ("ivar", (12, 1), r"ivar of wrong shape"),
        ("mask", (1,), r"mask of wrong shape: \[1\], the flux has 12 pixels"),
        ("mask", (13,), r"mask of wrong shape"),
    ],
)
def test_ivar_and_mask_are_never_broadcast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, shape: tuple[int, ...], reason: str
) -> None:
    read = ToyReader.read

    def wrong(self: ToyReader, rows: Any) -> Any:
        chunk = read(self, rows)
        setattr(chunk, name, [np.zeros(shape, np.float32 if name == "ivar" else bool) for _ in rows])
        return chunk

    monkeypatch.setattr(ToyReader, "read", wrong)
    with pytest.raises(UserError, match=f"Spectrum s0: {reason}.*; data.on_bad=skip leaves it out"):
        packed(tmp_path, ToyReader())


def test_float16(tmp_path: Path) -> None:
    survey = packed(tmp_path, ToyReader(), dtype="float16")
    assert survey.flux.dtype == np.float16
    np.testing.assert_allclose(survey.flux[5, 0], toy_flux(5, 1, 12)[0], rtol=1e-3)


@pytest.mark.parametrize(("scale", "word"), [(1e5, "too bright"), (1e-12, "too faint")])
def test_flux_beyond_float16_is_reported(tmp_path: Path, scale: float, word: str) -> None:
    with pytest.raises(UserError, match=rf"Spectrum s\d+: {word} for data.dtype=float16"):
        packed(tmp_path, ToyReader(scale=scale), dtype="float16")


class TestBadInput:
    def test_unreadable_row_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"Spectrum s17: the file is empty; data.on_bad=skip leaves it out\."):
            packed(tmp_path, ToyReader(unreadable={17: "the file is empty"}))

    def test_unreadable_row_is_named_by_a_packing_process(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="Spectrum s17: the file is empty"):
            packed(tmp_path, ToyReader(unreadable={17: "the file is empty"}), num_workers=2)

    def test_skipped_rows_are_counted_by_reason(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        reader = ToyReader(
            unreadable={17: "the file s17.txt is missing", 18: "the file s18.txt is missing", 2: "no number: 'x'"},
            lengths={5: 11, 30: 13},
        )
        with caplog.at_level(logging.WARNING):
            survey = packed(tmp_path, reader, on_bad="skip")
        assert survey.skipped == {"the file <id>.txt is missing": 2, "wrong length": 2, "no number": 1}
        assert len(survey) == 35 and not {"s2", "s5", "s17", "s18", "s30"} & set(survey.catalog["id"])
        for row, id_ in zip(survey.flux, survey.catalog["id"], strict=True):
            np.testing.assert_array_equal(row, toy_flux(int(id_[1:]), 1, 12))
        assert "Left out 2 of 40 spectra: wrong length." in caplog.messages

    def test_a_survey_of_bad_rows_alone_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="None of 40 spectra tried could be read, the first because: gone"):
            packed(tmp_path, ToyReader(unreadable=dict.fromkeys(range(40), "gone")), on_bad="skip")

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
    def test_flux_that_is_not_finite_is_refused(self, tmp_path: Path, value: float) -> None:
        reader = ToyReader(not_finite={11: value}, num_channels=2)
        with pytest.raises(UserError, match=r"Spectrum s11: flux not finite: at pixel 3; data.nan=mask"):
            packed(tmp_path, reader)
        survey = packed(tmp_path, reader, nan="mask")
        assert survey.mask is not None and np.argwhere(survey.mask).tolist() == [[11, 3]]
        assert (survey.flux[11, :, 3] == 0).all() and survey.flux[11, 1, 4] == toy_flux(11, 2, 12)[1, 4]
        skipping = packed(tmp_path, reader, nan="skip")
        assert skipping.skipped == {"flux not finite": 1} and len(skipping) == 39

    def test_nan_in_a_masked_pixel_is_no_error(self, tmp_path: Path) -> None:
        survey = packed(tmp_path, ToyReader(not_finite={11: np.nan}, bad_pixels={11: 3}))
        assert survey.flux[11, 0, 3] == 0 and survey.mask is not None and survey.mask.sum() == 1

    def test_a_wrong_length_is_named_even_when_it_comes_first(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"Spectrum s0: wrong length: 11 pixels, not 12; .*data.ragged=pad"):
            packed(tmp_path, ToyReader(lengths={0: 11}))

    def test_ragged_rows_are_padded_to_the_longest(self, tmp_path: Path) -> None:
        survey = packed(tmp_path, ToyReader(lengths={4: 9, 21: 20}), ragged="pad")
        assert survey.length == 20 and survey.mask is not None
        assert survey.catalog["length"][[4, 5, 21]].tolist() == [9, 12, 20]
        np.testing.assert_array_equal((~survey.mask).sum(1), survey.catalog["length"])
        np.testing.assert_array_equal(survey.flux[4, 0, :9], toy_flux(4, 1, 9)[0])
        assert (survey.flux[4, 0, 9:] == 0).all() and survey.mask[4, 9:].all()

    def test_no_row_may_exceed_the_wavelength_grid(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="Spectrum s4: longer than the wavelength grid: 13 pixels, not 12"):
            packed(tmp_path, ToyReader(lengths={2: 8, 4: 13}, wave=12), ragged="pad")
        assert packed(tmp_path, ToyReader(lengths={2: 8}, wave=12), ragged="pad").length == 12

    def test_a_repeated_id_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        catalog = ToyReader().catalog().assign(id=["same", "same", *map(str, range(38))])
        monkeypatch.setattr(ToyReader, "catalog", lambda self: catalog)
        with pytest.raises(UserError, match="The id same is in the survey 2 times"):
            packed(tmp_path, ToyReader())


class TestClassNames:
    def test_an_unlisted_label_is_named_with_the_nearest(self, tmp_path: Path) -> None:
        sentence = (
            r"Spectrum s1 has the label 'galaxy', which is not in data\.class_names: did you mean 'galaxie'.*; "
            r"data\.on_bad=skip leaves such spectra out, 10 of 40\.$"
        )
        reader = ToyReader(labels=("star", "galaxy", "galaxie", None))
        with pytest.raises(UserError, match=sentence):
            packed(tmp_path, reader, class_names=["star", "galaxie"])

    def test_a_name_of_no_label_is_asked_about_first(self, tmp_path: Path) -> None:
        sentence = (
            r"^data\.class_names has 'GALXY', which matches no label of the data: did you mean 'galaxy'\? the labels "
            r"are galaxy, star; data\.on_bad=skip leaves spectra of other classes out, 10 of 40\.$"
        )
        with pytest.raises(UserError, match=sentence):
            packed(tmp_path, ToyReader(), class_names=["STAR", "GALXY", "QSO"])

    def test_other_classes_are_left_out_and_counted_if_that_is_asked_for(self, tmp_path: Path) -> None:
        reader = ToyReader(labels=("star", "galaxy", "unknown", None), unreadable={4: "broken"})
        options = {"class_names": ["GALAXY", "STAR"], "on_bad": "skip"}
        survey = packed(tmp_path, reader, limit=25, limit_draw="first", **options)
        assert survey.skipped == {"a class that is not in data.class_names": 10, "broken": 1}
        assert survey.catalog["label"][:4].fillna("-").tolist() == ["STAR", "GALAXY", "-", "GALAXY"]
        assert survey.labels[:4].tolist() == [1, 0, -1, 0] and len(survey) == 24
        rows = [int(name[1:]) for name in survey.catalog["id"]]
        assert rows[:4] == [0, 1, 3, 5] and all(row % 4 != 2 for row in rows)
        for i, row in enumerate(rows):
            np.testing.assert_array_equal(survey.flux[i], toy_flux(row, 1, 12))
        assert survey.folder is not None
        reasons = pd.read_parquet(survey.folder / "skipped.parquet").set_index("id")["reason"]
        assert reasons["s2"] == "a class that is not in data.class_names: unknown" and reasons["s4"] == "broken"

    def test_a_class_of_left_out_spectra_alone_is_no_class(self, tmp_path: Path) -> None:
        reader = ToyReader(num=7, labels=("star", "galaxy", "b", "star", "galaxy", "star"), unreadable={2: "broken"})
        survey = packed(tmp_path, reader, on_bad="skip")
        assert survey.class_names == ("star", "galaxy") and survey.labels.tolist() == [0, 1, 0, 1, 0, 0]
        named = packed(tmp_path, reader, on_bad="skip", class_names=["b", "galaxy", "star"])
        assert named.class_names == ("b", "galaxy", "star")

    def test_a_survey_of_other_classes_alone_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(
            UserError, match=r"'star', which like those of all 30 labelled spectra is not in data\.class_names"
        ):
            packed(tmp_path, ToyReader(), class_names=["nova", "pulsar"], on_bad="skip")

    def test_given_order_and_absent_classes_are_kept(self, tmp_path: Path) -> None:
        survey = packed(tmp_path, ToyReader(), class_names=["qso", "galaxy", "star"])
        assert survey.class_names == ("qso", "galaxy", "star") and survey.labels[:2].tolist() == [2, 1]

    def test_a_reader_may_propose_class_names(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ToyReader, "class_names", ["galaxy", "qso", "star"], raising=False)
        assert packed(tmp_path, ToyReader()).class_names == ("galaxy", "qso", "star")
        assert packed(tmp_path, ToyReader(labels=("b", "a"), version="2")).class_names == ("a", "b")

    def test_a_survey_without_labels_is_packed(self, tmp_path: Path) -> None:
        survey = packed(tmp_path, ToyReader(labels=(None,)))
        assert survey.class_names == () and (survey.labels == -1).all()
