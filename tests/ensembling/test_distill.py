"""`distill=FOLDER`: what a student keeps of its teacher, that it resumes, and what cannot teach."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_runs import CLASSES, StoppedError, arrays, composed, outcome, run, stop_after

from spectral.builders import build_augmentations
from spectral.configs.readers import ArraysConfig
from spectral.configs.root import typed
from spectral.data.dataset import Dataset
from spectral.data.packing.pack import pack
from spectral.data.readers.arrays.opening import open_arrays
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.logits import batch_source
from spectral.inference.predictor import Predictor
from spectral.inference.teacher import open_teacher, teach
from spectral.inputs.batches import BatchSource
from spectral.runs.folder import RunFolder
from spectral.runtime import Runtime
from spectral.training.distillation import View

CPU = Runtime(torch.device("cpu"), "float32", channels_last=False, compile=False, num_threads=1)
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
    model, initial = tmp_path / "teacher" / "model.json", tmp_path / "run" / "init.json"
    content, record = json.loads(model.read_text()), json.loads(initial.read_text())
    model.write_text(json.dumps(content | {"evaluate_shifts": [-1, 0, 1]}))
    with pytest.raises(UserError, match="teacher has changed since the run in "):
        run(command)
    model.write_text(json.dumps(content | {"decision_state": {}}))
    del record["distill"]["model"]  # as an earlier version left it
    initial.write_text(json.dumps(record))
    with pytest.raises(StoppedError):
        run(command, stop_after(2))
    shutil.copy(members[2] / "best.safetensors", tmp_path / "teacher" / "best.safetensors")
    with pytest.raises(UserError, match="teacher has changed since the run in "):
        run(command)


@pytest.mark.slow
def test_a_teacher_that_was_made_again_of_members_elsewhere_is_the_same(
    ensemble: Path, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    teacher = shutil.copytree(ensemble, tmp_path / "teacher")
    command = small(*SHORT, f"distill={teacher}")
    with pytest.raises(StoppedError):
        run(command, stop_after(1))
    content = json.loads((teacher / "model.json").read_text())
    for number, member in enumerate(content["members"]):
        member["run"] = f"elsewhere/{number}"
    (teacher / "model.json").write_text(json.dumps(content))
    run(command)
    assert (tmp_path / "run" / "result.json").is_file()


def test_what_cannot_teach_is_named_before_training(
    members: list[Path], small: Callable[..., list[str]], tmp_path: Path
) -> None:
    teacher = tmp_path / "teacher"
    (teacher / "0").mkdir(parents=True)
    (teacher / "0" / "config.yaml").touch()
    with pytest.raises(UserError, match=r"teacher is not a run folder: .* Give a run in it: distill=\S+/teacher/0\.$"):
        run(small(f"distill={teacher}"))
    shutil.rmtree(teacher)
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


@pytest.mark.slow
def test_a_teacher_of_another_split_is_warned_of_and_stays_in_the_result(
    members: list[Path], small: Callable[..., list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sentence = f"distill={members[0]} has another split: it may have been trained on spectra that this run is scored on"
    command = small(*SHORT, f"distill={members[0]}", "split.seed=7")
    with pytest.raises(StoppedError):
        run(command, stop_after(1))
    assert sentence in caplog.text
    initial = tmp_path / "run" / "init.json"
    record = json.loads(initial.read_text())
    assert record["distill"].pop("doubt") == f"{sentence}."
    initial.write_text(json.dumps(record))  # as an earlier version left it
    with pytest.raises(StoppedError):
        run(command, stop_after(2))
    run(command)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["distill"]["doubt"] == f"{sentence}."


def taught(command: list[str], folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """The targets [20, K] of a command's first training spectra, and what a predictor of the teacher says of them.

    Both of the augmented spectra and at the class priors of the teacher.
    """
    config = typed(composed(command))
    dataset = Dataset.open(config.data, config.split, folder)
    student = Classifier.describing(config, dataset)
    classifier, _ = open_teacher(config, student, dataset, RunFolder(str(config.run_dir)))
    teacher = teach(config, classifier, student, dataset, CPU)
    assert classifier and classifier.output_prior and teacher and config.distill
    inputs, positions = student.build_inputs(build_augmentations(config, dataset)), np.arange(20)
    source = batch_source(dataset.survey, inputs, CPU.device, with_ivar=teacher.needs_ivar)
    torch.manual_seed(0)
    flux, ivar, mask, _ = source.gather(dataset.train[positions])
    spectra = inputs.augmented(flux, ivar, mask, None)
    channels, padding = inputs(*spectra)
    view = View(torch.from_numpy(positions), spectra, channels, padding, None)
    arrays_of = [None if tensor is None else tensor.numpy() for tensor in spectra]
    assert arrays_of[0] is not None
    again = BatchSource(arrays_of[0], arrays_of[2], CPU.device, ivar=arrays_of[1])
    predictor = Predictor.load(RunFolder(config.distill), classifier, CPU, 7)
    said = predictor.logits(again, positions).softmax(dim=1).float()
    return teacher.targets(view, torch.tensor(classifier.output_prior)), said


@pytest.mark.parametrize(
    "kind", [pytest.param("run of the same inputs", marks=pytest.mark.slow), "run of other inputs", "ensemble"]
)
def test_a_teacher_of_batches_says_what_its_predictor_says_of_the_augmented_spectra(
    kind: str, members: list[Path], ensemble: Path, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    teacher = {"run of the same inputs": members[0], "run of other inputs": members[1], "ensemble": ensemble}[kind]
    command = small(f"distill={teacher}")
    as_they_are, said = taught(command, tmp_path)
    torch.testing.assert_close(as_they_are, said)
    torch.testing.assert_close(taught([*command, "distill_on=batches"], tmp_path)[0], as_they_are)
    moved, said = taught([*command, "distill_on=batches", "inputs.augmentations=[shift]"], tmp_path)
    torch.testing.assert_close(moved, said)
    assert (moved - as_they_are).abs().max() > 1e-3
    assert torch.equal(taught([*command, "inputs.augmentations=[shift]"], tmp_path)[0], as_they_are)


@pytest.mark.parametrize("on", ["spectra", "batches"])
def test_the_teacher_has_the_options_of_the_command(
    on: str, members: list[Path], small: Callable[..., list[str]], tmp_path: Path
) -> None:
    options = (f"distill_on={on}", "distill_weight=0.7", "distill_temperature=3")
    config = typed(composed(small(f"distill={members[0]}", *options)))
    dataset = Dataset.open(config.data, config.split, tmp_path)
    student = Classifier.describing(config, dataset)
    classifier, _ = open_teacher(config, student, dataset, RunFolder(str(config.run_dir)))
    teacher = teach(config, classifier, student, dataset, CPU)
    assert teacher is not None and (teacher.weight, teacher.temperature) == (0.7, 3)


@pytest.mark.slow
def test_a_student_of_batches_is_resumed_with_the_same_numbers_and_draws_what_it_draws_alone(
    members: list[Path], ensemble: Path, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    learning = (*SHORT, "inputs.augmentations=[shift,noise,crop]")

    def student(folder: str, teacher: Path, *more: str) -> list[str]:
        return small(*learning, f"distill={teacher}", "distill_on=batches", *more, folder=folder)

    for teacher, more in ((ensemble, ()), (members[0], ("schedule.mixup_alpha=0.4",))):
        name = teacher.name
        run(student(name, teacher, *more))
        with pytest.raises(StoppedError):
            run(student(f"{name}_again", teacher, *more), stop_after(1))
        run(student(f"{name}_again", teacher, *more))
        assert outcome(tmp_path / f"{name}_again") == outcome(tmp_path / name)
        run(student(f"{name}_once", teacher, *more, "distill_on=spectra"))
        run(student(f"{name}_unheard", teacher, *more, "distill_weight=0"))
        run(small(*learning, *more, folder=f"{name}_alone"))
        weights = {of: (tmp_path / f"{name}{of}" / "best.safetensors").read_bytes() for of in ("", "_once", "_alone")}
        assert len(set(weights.values())) == 3
        assert (tmp_path / f"{name}_unheard" / "best.safetensors").read_bytes() == weights["_alone"]


@pytest.mark.slow
def test_a_teacher_that_needs_inverse_variances_has_them_from_the_survey(
    small: Callable[..., list[str]], tmp_path: Path
) -> None:
    survey = arrays()
    np.savez(tmp_path / "with.npz", ivar=np.random.default_rng(1).uniform(0.5, 2, survey["flux"].shape), **survey)
    pack(open_arrays(str(tmp_path / "with.npz")), ArraysConfig(num_workers=1), tmp_path / "with", progress=False)
    with_ivar = f"data.folder={tmp_path / 'with'}"
    run(small(*SHORT, with_ivar, "inputs.channels=[flux,snr]", folder="teacher"))
    command = small(*SHORT, f"distill={tmp_path / 'teacher'}", "distill_on=batches")
    targets, said = taught([*command, with_ivar, "inputs.augmentations=[gain]"], tmp_path)
    torch.testing.assert_close(targets, said)
    run([*command, with_ivar])
    for on in ("batches", "spectra"):
        with pytest.raises(UserError, match="teacher needs inverse variances and the data has none"):
            run([*command, f"distill_on={on}", f"run_dir={tmp_path / on}"])


def test_mixtures_are_seen_only_by_a_teacher_of_the_same_inputs(
    members: list[Path], ensemble: Path, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    mixing = (*SHORT, "distill_on=batches", "schedule.mixup_alpha=0.4")
    for teacher, differs in (
        (members[1], "another transform and other inputs.channels"),
        (ensemble, "members with inputs of their own"),
    ):
        with pytest.raises(UserError) as error:
            run(small(*mixing, f"distill={teacher}"))
        assert str(error.value) == (
            "distill_on=batches next to schedule.mixup_alpha=0.4 needs a teacher with the inputs of this run, and "
            f"distill={teacher} has {differs}: set schedule.mixup_alpha=null, or distill_on=spectra."
        )
    assert not (tmp_path / "run" / "config.yaml").exists()
