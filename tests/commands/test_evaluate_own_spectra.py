"""What `spectral.evaluate` says of scores on spectra that the run has seen."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from applied_runs import evaluate
from omegaconf import OmegaConf
from small_runs import arrays, result

from spectral.errors import UserError
from spectral.files import write_json

OWN = "These spectra are the run's own: it was trained on some of them, so its scores are flattered."


def rows_of(content: dict[str, Any], keep: Any) -> dict[str, Any]:
    return {name: array if name == "wave" else array[keep] for name, array in content.items()}


def kept_doubt(run: Path, path: Path, *overrides: str) -> str | None:
    """Of result.json, after an evaluation on the spectra of a file."""
    out, cache = path.parent / "scores", path.parent / "cache"
    data = "data=arrays", f"data.path={path}", "data.num_workers=1", f"cache_dir={cache}"
    evaluate(run, *data, f"out={out}", *overrides)
    found: str | None = result(out)["survey"].get("doubt")
    return found


def test_that_all_spectra_are_the_runs_own_stays_in_the_result(
    finished: Path, spectra: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kept_doubt(finished, spectra(**arrays())) == OWN
    assert f"Note: {OWN}" in capsys.readouterr().out


def test_a_part_of_the_runs_own_spectra_is_doubted(finished: Path, spectra: Callable[..., Path]) -> None:
    part = rows_of(arrays(), slice(60))
    scored = pd.read_parquet(finished / "predictions.parquet")["id"]
    num = int(scored.isin(part["id"]).sum())
    sentence = f"{num} of these spectra are in the run's own validation or test split, and others may have trained it"
    assert kept_doubt(finished, spectra(**part)) == f"{sentence}: its scores may be flattered."


@pytest.mark.parametrize("is_shifted", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_if_a_run_gives_other_probabilities_now_its_own_spectra_are_known_by_their_labels(
    is_shifted: bool, finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    """Of an ensemble of folds each was scored by the member that had not seen it, and here by all."""
    run, part = shutil.copytree(finished, tmp_path / "run"), rows_of(arrays(), slice(60))
    others, more = part | {"label": np.roll(part["label"], 1)}, ["evaluate_shifts=[-20,20]"] if is_shifted else []
    if not is_shifted:
        write_json(run / "result.json", result(run) | {"ensemble": {"out_of_fold": True}})
        scored = pd.read_parquet(run / "predictions.parquet")
        names = [name for name in scored if name.startswith("probability/")]
        scored.assign(**scored[names] ** 0.3).to_parquet(run / "predictions.parquet")
    assert "in the run's own validation or test split" in str(kept_doubt(run, spectra(**part), *more))
    assert kept_doubt(run, spectra(**others), *more) is None


def test_other_spectra_of_the_same_ids_and_probabilities_are_known_by_their_labels(
    finished: Path, spectra: Callable[..., Path]
) -> None:
    """A network that knows nothing has the same probabilities for all."""
    others = rows_of(arrays(), slice(60))
    assert kept_doubt(finished, spectra(**others | {"label": np.roll(others["label"], 1)})) is None


def test_test_spectra_of_the_run_and_others_of_the_same_ids_are_not_doubted(
    finished: Path, spectra: Callable[..., Path]
) -> None:
    assert kept_doubt(finished, spectra()) is None  # numbered alike
    frame = pd.read_parquet(finished / "predictions.parquet")
    tested = np.isin(arrays()["id"], frame.loc[frame["split"] == "test", "id"])
    assert kept_doubt(finished, spectra(**rows_of(arrays(), tested))) is None


@pytest.mark.parametrize(
    ("on", "key"),
    [("test", "test/macro_f1"), pytest.param("validation", "val/decision/macro_f1", marks=pytest.mark.slow)],
)
def test_the_split_of_a_run_whose_data_was_moved_is_scored(
    on: str, key: str, finished: Path, spectra: Callable[..., Path], tmp_path: Path
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    config = OmegaConf.load(run / "config.yaml")
    config.data = {"name": "packed", "folder": str(tmp_path / "gone")}
    OmegaConf.save(config, run / "config.yaml")
    with pytest.raises(UserError, match=r"config.yaml names cannot be used .*takes data=packed and .*: .*gone"):
        evaluate(run, f"on={on}")
    assert kept_doubt(run, spectra(**arrays()), f"on={on}") is None
    assert result(tmp_path / "scores")[key] == pytest.approx(result(run)[key], abs=1e-6)


def test_a_split_that_cannot_be_made_again_is_not_taken_for_moved_data(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    config = OmegaConf.load(run / "config.yaml")
    config.split = {"name": "given"}  # the data has none
    OmegaConf.save(config, run / "config.yaml")
    with pytest.raises(UserError, match="split=given") as refused:
        evaluate(run)
    assert "moved" not in str(refused.value)
