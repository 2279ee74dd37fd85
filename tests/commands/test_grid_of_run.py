"""A run brings its grid with it: spectra with wavelengths of their own are resampled to the run's."""

import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from small_runs import OVERRIDES, StoppedError, arrays, composed, outcome, result, run, stop_after

from spectral.configs.commands import EvaluateConfig, typed_command
from spectral.data.packing.open import current_fingerprints
from spectral.errors import UserError
from spectral.inference.evaluation import evaluate

SHORT = ("schedule.stages.0.epochs=2", "data.num_workers=1")
AROUND = 3  # pixels of a file before and after those of the run


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 text files of wavelength and flux in a folder per class, on the run's pixels and some around them."""
    folder, content = tmp_path_factory.mktemp("files") / "spectra", arrays(num=40, seed=5)
    step = content["wave"][1] - content["wave"][0]
    wave = content["wave"][0] + step * np.arange(-AROUND, len(content["wave"]) + AROUND)
    for flux, label, name in zip(content["flux"], content["label"], content["id"], strict=True):
        (folder / label).mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / label / f"{name}.txt", np.column_stack([wave, np.pad(flux, AROUND)]), fmt="%.17g")
    return folder


def test_evaluate_resamples_to_the_wavelengths_of_the_run(
    finished: Path, files: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The pixels are the same, so the scores are those of the arrays."""
    np.savez(tmp_path / "same.npz", **arrays(num=40, seed=5))
    given = [f"run={finished}", "device=cpu", "precision=float32", f"cache_dir={tmp_path}", "data.num_workers=1"]

    def scores(*data: str) -> dict[str, float]:
        command = typed_command(composed([*given, *data], "evaluate"), EvaluateConfig, "")
        return {key: value for key, value in evaluate(command).result.items() if key.startswith("all/")}

    with caplog.at_level(logging.INFO):
        found = scores("data=two_column", f"data.folder={files}")
    assert f"Resampling to the wavelengths of run={finished}, 4000.0 to 5000.0 Angstrom in 96 pixels." in caplog.text
    assert found == pytest.approx(scores("data=arrays", f"data.path={tmp_path / 'same.npz'}"))
    with pytest.raises(
        UserError, match=r"wavelengths, 4100\.0 to 4900\.0 Angstrom in 81 pixels, are not those of run="
    ):
        scores(
            "data=two_column",
            f"data.folder={files}",
            "data.grid={kind:linear,start_angstrom:4100,stop_angstrom:4900,step:10}",
        )
    more_pixels = "data.grid={kind:linear,start_angstrom:4000,stop_angstrom:5000,step:5}"
    with pytest.raises(UserError, match=r"in 201 pixels, are not those of run=.*, by data\.grid"):
        scores("data=two_column", f"data.folder={files}", more_pixels)


def test_a_run_takes_the_wavelengths_of_its_initial_run_and_keeps_them_in_its_config(
    finished: Path, files: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin = Path(shutil.copytree(finished, tmp_path / "begin"))
    command = ["data=two_column", f"data.folder={files}", f"cache_dir={tmp_path / 'cache'}", *OVERRIDES, *SHORT]
    command += ["model.width=8", f"init={begin}", "data.class_names=[STAR,GALAXY,QSO]"]
    with caplog.at_level(logging.INFO):
        run([*command, f"run_dir={tmp_path / 'whole'}"])
    line = f"Resampling to the wavelengths of init={begin}, 4000.0 to 5000.0 Angstrom in 96 pixels."
    assert [record.message for record in caplog.records].count(line) == 1
    assert result(tmp_path / "whole")["init"].keys() == {"folder", "weights", "head"}
    grid = OmegaConf.load(tmp_path / "whole" / "config.yaml").data.grid
    assert grid.kind == "linear" and [grid.start_angstrom, grid.stop_angstrom] == pytest.approx([4000, 5000])
    assert current_fingerprints(composed([*command, "run_dir=x"])) == []
    with pytest.raises(StoppedError):
        run([*command, f"run_dir={tmp_path / 'run'}"], stop_after(1))
    shutil.rmtree(begin)
    run([*command, f"run_dir={tmp_path / 'run'}"])
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    other = "data.grid={kind:linear,start_angstrom:4100,stop_angstrom:4900,step:10}"
    with pytest.raises(UserError, match=r"holds a run with data\.grid\.start_angstrom=4000\.0, this command has data"):
        run([*command, other, f"run_dir={tmp_path / 'run'}"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("data.grid={kind:linear,start_angstrom:4100,stop_angstrom:4900,step:10}", "init={} was trained on 4000.0 to"),
        ("init_wave=any", "data.grid.kind=native is not allowed for this data"),
    ],
)
def test_what_the_user_says_of_wavelengths_has_precedence(
    more: str, message: str, finished: Path, files: Path, tmp_path: Path
) -> None:
    command = ["data=two_column", f"data.folder={files}", f"cache_dir={tmp_path}", f"run_dir={tmp_path / 'run'}"]
    with pytest.raises(UserError, match=re.escape(message.format(finished))):
        run([*command, *OVERRIDES, *SHORT, "model.width=8", f"init={finished}", more])
