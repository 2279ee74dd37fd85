"""An ensemble that is made where an earlier one is, and is stopped before it is whole."""

from pathlib import Path
from typing import Any

import pytest

from spectral.ensembling import make
from spectral.ensembling.make import EnsembleOptions, make_ensemble
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.runs.folder import RunFolder

EQUAL = EnsembleOptions(select="all")


@pytest.mark.parametrize(
    "file",
    [
        "write_weights",
        pytest.param("write_config", marks=pytest.mark.slow),
        pytest.param("write_parquet", marks=pytest.mark.slow),
        "write_result",
    ],
)
def test_an_earlier_ensemble_stays_until_the_new_one_is_written(
    file: str, members: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    make_ensemble(members[:2], out, EQUAL)
    earlier = {path.name: path.read_bytes() for path in out.iterdir()}

    def fill(*_: Any) -> None:
        raise UserError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(make if hasattr(make, file) else RunFolder, file, fill)
        with pytest.raises(UserError, match="the disk is full"):
            make_ensemble(members, out, EQUAL)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == earlier
    assert len(Classifier.load(RunFolder(out)).members) == 2


def test_a_making_that_is_stopped_between_two_files_is_repeated(
    members: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder holds an earlier ensemble, which must not stay half of it."""
    out, replace = tmp_path / "out", Path.replace
    make_ensemble(members[:2], out, EQUAL)

    def stop(path: Path, target: Path) -> Path:
        if target == out / "predictions.parquet":
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            make_ensemble(members, out, EQUAL)
    assert not (out / "result.json").exists()
    make_ensemble(members, out, EQUAL)
    assert len(Classifier.load(RunFolder(out)).members) == 3
