"""What a transform learns of the training spectra goes with the run, wherever it is applied."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_runs import StoppedError, composed, outcome, result, run, stop_after

from spectral import load_run
from spectral.configs.commands import EvaluateConfig, typed_command
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.evaluation import evaluate
from spectral.runs.folder import RunFolder
from spectral.survey import Survey

ONE_EPOCH = ("transform=msc", "schedule.stages.0.epochs=2")


def test_the_reference_of_msc_is_of_the_training_split_and_applied_everywhere(
    small: Callable[..., list[str]], pack_folder: Path, tmp_path: Path
) -> None:
    run(small(*ONE_EPOCH))
    folder, survey = RunFolder(tmp_path / "run"), Survey.open(pack_folder)
    predictions = folder.load_predictions().set_index("id")
    is_training = ~survey.catalog["id"].isin(predictions.index)
    mean = survey.flux[is_training.to_numpy(), 0].astype(float).mean(axis=0)
    ((reference,),) = json.loads(folder.model.read_text())["inputs"]["learned"].values()
    np.testing.assert_allclose(reference, (mean - mean.mean()) / mean.std(), rtol=1e-5, atol=1e-6)

    given = [f"run={folder.path}", "device=cpu", "precision=float32", "on=validation"]
    found = evaluate(typed_command(composed(given, "evaluate"), EvaluateConfig, "")).result
    assert found["val/macro_f1"] == pytest.approx(result(folder.path)["val/macro_f1"])

    rows = survey.catalog["id"].isin(predictions.index).to_numpy()
    trained = load_run(folder.path, device="cpu", precision="float32")
    table = trained.predict_table(survey.flux[rows]).set_index(survey.catalog["id"][rows])
    columns = [name for name in table if name.startswith("probability/")]
    pd.testing.assert_frame_equal(
        table[columns], predictions.loc[table.index, columns].astype(float), rtol=0, atol=1e-5, check_names=False
    )


def test_a_run_that_learns_is_resumed_as_if_it_had_not_been_stopped(
    small: Callable[..., list[str]], tmp_path: Path
) -> None:
    run(small(*ONE_EPOCH, folder="whole"))
    with pytest.raises(StoppedError):
        run(small(*ONE_EPOCH), stop_after(1))
    run(small(*ONE_EPOCH))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")
    model = RunFolder(tmp_path / "run").model
    content = json.loads(model.read_text())
    content["inputs"]["learned"] = {}
    model.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"model\.json lacks inputs\.learned\.reference of transform=msc"):
        Classifier.load(RunFolder(tmp_path / "run"))
