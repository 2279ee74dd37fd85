"""The files that tools/write_sdss_files.py writes are SDSS's to the reader of SDSS's files."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from small_runs import REPOSITORY

from spectral.configs.data import readers
from spectral.configs.survey_files import SdssConfig

NUM, NUM_CUT = 16, 2


def write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit status of the tool."""
    arguments = ["--num", str(NUM), "--cut-short", str(NUM_CUT)]
    monkeypatch.setattr(sys, "argv", ["write_sdss_files.py", str(folder), *arguments])
    status: int = runpy.run_path(str(REPOSITORY / "tools" / "write_sdss_files.py"))["main"]()
    return status


def test_files_are_read_with_labels_and_lengths_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert write(tmp_path / "spectra", monkeypatch) == 0
    reader = readers.build(SdssConfig(folder=str(tmp_path / "spectra")), cache_dir=tmp_path / "cache")
    catalog, chunk = reader.catalog(), reader.read(np.arange(NUM))
    assert len(catalog) == NUM and catalog["id"].is_unique
    assert len(chunk.problems) == NUM_CUT and all("cut short" in reason for reason in chunk.problems.values())
    whole = catalog.drop(index=list(chunk.problems))
    assert set(whole["label"].dropna()) == {"star", "galaxy", "qso"}
    assert whole["label"].isna().equals((whole["zwarning"] != 0).astype(bool))  # what failed has no label
    assert len({flux.shape[1] for flux in chunk.flux if flux is not None}) > NUM // 2
    brightest = int(whole["snr"].idxmax())
    assert chunk.ivar is not None
    signal_to_noise = np.median(np.sqrt(chunk.ivar[brightest]) * chunk.flux[brightest])
    assert signal_to_noise == pytest.approx(whole["snr"][brightest], rel=0.3)


def test_a_folder_with_files_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.fits").touch()
    assert write(tmp_path, monkeypatch) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.fits"]
