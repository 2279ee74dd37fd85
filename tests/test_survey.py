import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spectral.errors import UserError
from spectral.files import write_json, write_parquet
from spectral.survey import FORMAT, Survey


def write_pack(folder: Path, fingerprint: str = "abc") -> None:
    folder.mkdir(exist_ok=True)
    np.save(folder / "flux.npy", np.arange(24, dtype=np.float32).reshape(4, 1, 6))
    labels = pd.array(["star", "qso", None, "star"], dtype="str")
    catalog = pd.DataFrame({"id": list("wxyz"), "label": labels, "class_index": [0, 1, -1, 0], "length": 6})
    write_parquet(folder / "catalog.parquet", catalog)
    about = {"format": FORMAT, "fingerprint": fingerprint, "class_names": ["star", "qso"], "wave_angstrom": None}
    write_json(folder / "survey.json", {**about, "skipped": {"wrong length": 2}})


def test_open(tmp_path: Path) -> None:
    write_pack(tmp_path)
    survey = Survey.open(tmp_path)
    assert (len(survey), survey.num_channels, survey.length, survey.num_classes) == (4, 1, 6, 2)
    assert survey.labels.tolist() == [0, 1, -1, 0] and survey.skipped == {"wrong length": 2}
    assert survey.ivar is None and survey.mask is None and survey.wave_angstrom is None


def test_it_is_shown_in_one_line(tmp_path: Path) -> None:
    write_pack(tmp_path)
    assert repr(Survey.open(tmp_path)) == "Survey(4 spectra of 6 pixels, classes star, qso)"


def test_spectra_cannot_be_written_to(tmp_path: Path) -> None:
    write_pack(tmp_path)
    with pytest.raises(ValueError):
        Survey.open(tmp_path).flux[0] = 1


def test_indices_are_of_the_chosen_split(tmp_path: Path) -> None:
    write_pack(tmp_path)
    survey = Survey.open(tmp_path).with_split(pd.Series(["test", "train", "", "test"]))
    assert survey.indices("test").tolist() == [0, 3] and survey.indices("train").tolist() == [1]
    assert survey.indices("validation").tolist() == []


def test_a_folder_that_is_not_a_pack_or_has_another_format_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a packed survey: python -m spectral\.pack makes one"):
        Survey.open(tmp_path)
    write_pack(tmp_path)
    about = json.loads((tmp_path / "survey.json").read_text())
    write_json(tmp_path / "survey.json", {**about, "format": FORMAT + 1})
    with pytest.raises(UserError, match=f"is a pack of format {FORMAT + 1}, not {FORMAT}"):
        Survey.open(tmp_path)
