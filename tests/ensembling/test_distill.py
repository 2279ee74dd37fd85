"""`distill=FOLDER`: what a student keeps of its teacher, that it resumes, and what cannot teach."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_runs import CLASSES, StoppedError, outcome, run, stop_after

from spectral.errors import UserError

SHORT = ("schedule.stages.0.epochs=2", "schedule.stages.0.steps=6", "decision=macro_f1")


def test_a_student_is_resumed_with_the_same_numbers_and_names_its_teacher(
    ensemble: Path, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    command = small(*SHORT, f"distill={ensemble}", "sampler=balanced", "loss=logit_adjusted")
    run(command)
    whole = outcome(tmp_path / "run")
    alone = json.loads((tmp_path / "run" / "result.json").read_text())
    assert alone["distill"]["folder"] == str(ensemble) and len(alone["distill"]["weights"]) == 32
    resumed = small(*SHORT, f"distill={ensemble}", "sampler=balanced", "loss=logit_adjusted", folder="again")
    with pytest.raises(StoppedError):
        run(resumed, stop_after(1))
    run(resumed)
    assert outcome(tmp_path / "again") == whole
    run(small(*SHORT, "sampler=balanced", "loss=logit_adjusted", folder="without"))
    assert outcome(tmp_path / "without") != whole


def test_a_student_of_the_teacher_alone_comes_to_say_what_it_says(
    ensemble: Path, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    long = ("schedule.stages.0.epochs=4", "schedule.stages.0.steps=60", "model.dropout=0", "model.width=8")
    run(small(*long, "optimizer.lr=0.003", "objective=train/loss", f"distill={ensemble}", "distill_weight=1"))
    columns = [f"probability/{name}" for name in CLASSES]
    priors = [json.loads((path / "model.json").read_text())["output_prior"] for path in (ensemble, tmp_path / "run")]
    taught, own = (
        pd.read_parquet(path / "predictions.parquet").set_index(["split", "id"])[columns]
        for path in (ensemble, tmp_path / "run")
    )
    wanted = taught.loc[own.index].to_numpy(np.float64) * np.array(priors[1]) / np.array(priors[0])
    wanted /= wanted.sum(axis=1, keepdims=True)
    untaught = np.abs(np.array(priors[1]) - wanted).mean()
    assert np.abs(own.to_numpy() - wanted).mean() < 0.75 * untaught


def test_a_teacher_that_changed_is_refused(
    members: list[Path], small: Callable[..., list[str]], tmp_path: Path
) -> None:
    shutil.copytree(members[0], tmp_path / "teacher")
    command = small(*SHORT, f"distill={tmp_path / 'teacher'}")
    with pytest.raises(StoppedError):
        run(command, stop_after(1))
    shutil.copy(members[2] / "best.safetensors", tmp_path / "teacher" / "best.safetensors")
    with pytest.raises(UserError, match="teacher has changed since the run in "):
        run(command)


def test_what_cannot_teach_is_named_before_training(
    members: list[Path], small: Callable[..., list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    teacher = tmp_path / "teacher"
    with pytest.raises(UserError, match="teacher is not a run folder"):
        run(small(f"distill={teacher}"))
    shutil.copytree(members[0], teacher)
    model, result = (json.loads((teacher / name).read_text()) for name in ("model.json", "result.json"))
    for changes, said in (
        ({"class_names": ["star", "qso", "galaxy"]}, "has the classes star, qso, galaxy, here they are"),
        ({"output_prior": [0.5, 0.5, 0.0]}, "cannot teach: it was trained without some class"),
        ({"length": 90, "wave_angstrom": None}, "was trained on 90"),
    ):
        (teacher / "model.json").write_text(json.dumps(model | changes))
        with pytest.raises(UserError, match=said):
            run(small(f"distill={teacher}"))
    (teacher / "model.json").write_text(json.dumps(model))
    (teacher / "result.json").unlink()
    with pytest.raises(UserError, match="is a run that has not ended"):
        run(small(f"distill={teacher}"))
    (teacher / "result.json").write_text(json.dumps(result))
    weights = (teacher / "best.safetensors").read_bytes()
    (teacher / "best.safetensors").write_bytes(weights[:-7])
    with pytest.raises(UserError, match=r"best.safetensors cannot be read: it was changed or cut short"):
        run(small(f"distill={teacher}"))
    assert not (tmp_path / "run" / "config.yaml").exists()
    (teacher / "best.safetensors").write_bytes(weights)
    run(small(*SHORT, f"distill={teacher}", "split.seed=7"))
    assert "has another split: it may have been trained on spectra" in caplog.text
