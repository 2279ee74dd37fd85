"""Pretraining as a run: what it trains on, what it leaves, how it resumes, and that networks begin with its weights."""

import contextlib
import io
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from applied_runs import command as applied
from commands import command
from killing import Kill
from safetensors.torch import load_file
from small_runs import OVERRIDES, REPOSITORY, StoppedError, arrays, composed, outcome, result, rows, run, stop_after

import spectral.configs.pretraining  # puts the typed config where Hydra finds it
from spectral import load_run
from spectral.data.dataset import Dataset
from spectral.data.splits.unlabelled import assign_without_labels
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.inference.initial_run import load_initial
from spectral.models.masked_pixels import BODY
from spectral.pretraining.run import run as run_pretraining
from spectral.runs.folder import RunFolder
from sweeps.ls.runs import read_run

SCRIPT = REPOSITORY / "spectral" / "pretrain.py"
SHARED = [o for o in OVERRIDES if o != "plots=false"]
SMALL = [*SHARED, "span_pixels=8", "schedule.keep=last"]
SHORT = ("schedule.stages.0.epochs=1", "schedule.stages.0.steps=1")
Pretrain = Callable[..., Path]


@pytest.fixture
def pretrain(pack_folder: Path, tmp_path: Path) -> Pretrain:
    """Pretrains on the small survey; gives the run folder."""

    packed = ["data=packed", f"data.folder={pack_folder}"]

    def carry_out(*more: str, data: list[str] = packed, folder: str = "pretrained", stop: int | None = None) -> Path:
        given = [*data, *SMALL, f"run_dir={tmp_path / folder}", *more]
        with contextlib.redirect_stdout(io.StringIO()):
            run_pretraining(composed(given, "pretrain"), *([stop_after(stop)] if stop else []))
        return tmp_path / folder

    return carry_out


def survey(folder: Path, num_labelled: int, **more: Any) -> list[str]:
    """The overrides of the small survey with labels for its first spectra alone."""
    given = arrays() | more
    label = given.pop("label")
    labels = {"label": np.where(np.arange(len(label)) < num_labelled, label, "")} if num_labelled else {}
    np.savez(folder / "some.npz", **given, **labels)
    return ["data=arrays", f"data.path={folder / 'some.npz'}", "data.num_workers=1", f"cache_dir={folder / 'cache'}"]


def test_the_loss_falls_and_the_run_is_logged_like_any(pretrain: Pretrain) -> None:
    """The spectra have broad lines, half of whose pixels a mask leaves: what stands in them can be told."""
    folder = pretrain("schedule.stages.0.epochs=6", "schedule.stages.0.steps=20", "span_pixels=4")
    losses = [row["val/loss"] for row in rows(folder)]
    assert [row["epoch"] for row in rows(folder)] == list(range(1, 7))
    assert all(math.isfinite(row["train/loss"]) for row in rows(folder))
    assert losses[-1] < 0.95 * losses[0]
    found = result(folder)
    assert found["val/loss"] == losses[-1] and found["best_epoch"] == 6
    assert {"survey", "versions", "runtime", "seed", "num_parameters"} <= found.keys()
    assert found["train/num_spectra"] + found["val/num_spectra"] == 96  # the test split is not read
    assert not (folder / "predictions.parquet").exists()


def test_what_does_nothing_in_a_stage_is_warned_of(pretrain: Pretrain, caplog: pytest.LogCaptureFixture) -> None:
    pretrain("lr_schedule=plateau", *SHORT)
    assert "lr_schedule.patience_epochs=2 does nothing with schedule.stages[0].epochs=1:" in caplog.text


def test_what_does_nothing_in_the_data_is_warned_of(
    pretrain: Pretrain, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = [*survey(tmp_path, num_labelled=0), "data.limit_draw=first"]
    pretrain(*SHORT, data=data)
    assert "data.limit_draw=first does nothing without data.limit." in caplog.text


def test_the_same_command_gives_the_same_weights_and_another_seed_others(pretrain: Pretrain) -> None:
    assert outcome(pretrain(folder="one")) == outcome(pretrain(folder="two"))
    assert outcome(pretrain("seed=4", folder="other"))[2] != outcome(pretrain(folder="one"))[2]


@pytest.mark.parametrize("stop", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_stopped_pretraining_ends_with_the_same_weights(stop: int, pretrain: Pretrain) -> None:
    options = ("schedule.ema_decay=0.9", "lr_schedule=cosine", "schedule.keep=best", "model.norm=batch")
    whole = outcome(pretrain(*options, folder="whole"))
    with pytest.raises(StoppedError):
        pretrain(*options, stop=stop)
    assert outcome(pretrain(*options)) == whole
    assert outcome(pretrain(*options)) == whole  # finished: its result is given again


@pytest.mark.slow
def test_a_killed_pretraining_resumes(pretrain: Pretrain, pack_folder: Path, tmp_path: Path) -> None:
    longer = ("schedule.stages.0.epochs=20",)
    whole = outcome(pretrain(*longer, folder="whole"))
    folder = tmp_path / "pretrained"
    given = ["data=packed", f"data.folder={pack_folder}", *SMALL, *longer, f"run_dir={folder}"]
    third = Kill(str(folder), str(tmp_path / "events"), nth=3, call="write", file="metrics.jsonl", moment="after")
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | third.variables()
    ended = subprocess.run([sys.executable, str(SCRIPT), *given], env=environment, stdout=subprocess.DEVNULL)
    assert ended.returncode == -signal.SIGKILL
    assert not (folder / "result.json").exists()
    assert outcome(pretrain(*longer)) == whole


@pytest.mark.parametrize("norm", [pytest.param("none", marks=pytest.mark.slow), "batch"])
def test_a_network_begins_with_the_weights_of_the_body_and_a_fresh_head(
    norm: str, pretrain: Pretrain, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    folder = pretrain(f"model.norm={norm}")
    run(small(f"init={folder}", f"model.norm={norm}"))
    classifier = Classifier.load(RunFolder(tmp_path / "run"))
    network = classifier.build_network()
    fresh = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    dataset: Any = None  # of which a pretraining is asked nothing
    load_initial(str(folder), "same", classifier, network, RunFolder(tmp_path / "another"), dataset)
    pretrained = load_file(folder / "best.safetensors")
    for name, tensor in network.state_dict().items():
        assert tensor.equal(fresh[name] if name.startswith("head.") else pretrained[BODY + name]), name
    record = result(tmp_path / "run")["init"]
    assert record["folder"] == str(folder) and record["head"] == "new"


@pytest.mark.parametrize("num_labelled", [0, 60, pytest.param(120, marks=pytest.mark.slow)])
def test_labels_are_not_needed(num_labelled: int, pretrain: Pretrain, tmp_path: Path) -> None:
    found = result(pretrain(*SHORT, data=survey(tmp_path, num_labelled)))
    used = found["train/num_spectra"] + found["val/num_spectra"]
    assert used == {0: 96, 60: 108, 120: 96}[num_labelled]


def test_spectra_without_a_label_train_and_the_split_of_the_others_is_that_of_run_py(tmp_path: Path) -> None:
    data = survey(tmp_path, 60)
    config = composed([*data, *SHARED, "plots=false", "run_dir=never"])
    typed = spectral.configs.root.typed(config)
    of_labels = Dataset.open(typed.data, typed.split, Path(typed.cache_dir))
    of_all = Dataset.without_labels(typed.data, typed.split, Path(typed.cache_dir))
    assert of_all.validation.tolist() == of_labels.validation.tolist() and len(of_all.validation)
    assert of_all.test.tolist() == of_labels.test.tolist() and len(of_all.test)
    assert set(of_all.train) == set(range(120)) - set(of_all.validation) - set(of_all.test)


def test_an_object_of_validation_or_test_trains_under_no_label() -> None:
    split = spectral.configs.split.splits.typed({"name": "given"}, "split")
    catalog = pd.DataFrame(
        {
            "id": list("abcdefg"),
            "label": ["x", "y", "x", None, None, None, None],
            "split": ["train", "test", "validation", "train", "train", "test", "train"],
            "group": ["1", "2", "3", "2", "3", "4", None],
        }
    )
    parts = assign_without_labels(catalog, split, None)
    assert parts.tolist() == ["train", "test", "validation", "test", "validation", "test", "train"]
    without = assign_without_labels(catalog.drop(columns="group"), split, None)
    assert without.tolist() == ["train", "test", "validation", "train", "train", "test", "train"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("span_pixels=0", "span_pixels=0 is out of range: allowed is at least 1."),
        ("masked_fraction=1", "masked_fraction=1.0 is out of range: "),
        ("span_pixels=40", "span_pixels=40 is more than masked_fraction=0.3 of 96 pixels: allowed is at most 28, or"),
        ("objective=val/macro_f1", "objective=val/macro_f1 is not known: "),
        ("split.validation=0", "objective=val/loss needs validation spectra and split=stratified leaves none"),
        ("schedule.mixup_alpha=0.2", "schedule.mixup_alpha=0.2 is not for pretraining, which has"),
        ("inputs.augmentations=[gain]", "inputs.augmentations=['gain'] is not for pretraining"),
        ("schedule.stages.0.loss=focal", "schedule.stages[0].loss=focal is not for pretraining"),
        ("inputs.channels=[snr]", "inputs.channels needs inverse variances and the data has none"),
        ("run_dir=", "run_dir= is not a folder"),
    ],
)
def test_a_mistake_ends_in_a_sentence(given: str, sentence: str, pretrain: Pretrain, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        pretrain(given)
    assert str(error.value).startswith(sentence)
    assert not (tmp_path / "pretrained").exists()


def test_a_validation_split_is_not_needed(pretrain: Pretrain) -> None:
    folder = pretrain(*SHORT, "split.validation=0", "objective=train/loss")
    assert "val/loss" not in result(folder) and result(folder)["val/num_spectra"] == 0


def test_the_command_prints_the_loss_and_what_to_do_next(pack_folder: Path, tmp_path: Path) -> None:
    data = ("data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path / 'a run'}")
    ended = command(SCRIPT, *data, *SMALL, *SHORT, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "val/loss of the masked pixels 0." in ended.stdout
    assert f"train with labels from there by 'init={tmp_path / 'a run'}'" in ended.stdout  # as a shell takes it
    wrong = command(SCRIPT, *data, *SMALL, "loss=focal", cwd=tmp_path)
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1 and "loss" in wrong.stderr


def test_what_needs_classes_says_that_a_pretraining_knows_none(
    pretrain: Pretrain, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    folder = pretrain(*SHORT)
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("run", lambda: load_run(folder)),
        ("run", lambda: applied("evaluate", f"run={folder}")),
        ("run", lambda: applied("export", f"run={folder}", f"out={tmp_path / 'out.onnx'}")),
        ("distill", lambda: run(small(f"distill={folder}"))),
    ]
    for key, attempt in attempts:
        with pytest.raises(UserError) as error:
            attempt()
        assert (
            str(error.value)
            == f"{key}={folder} is a pretraining, which knows no classes: train with init={folder} first."
        )
    with pytest.raises(UserError, match="holds a pretraining, which init=FOLDER begins with: give another run_dir"):
        run(small(folder="pretrained"))


def test_other_networks_and_damaged_weights_are_refused(
    pretrain: Pretrain, small: Callable[..., list[str]], tmp_path: Path
) -> None:
    with pytest.raises(StoppedError):
        pretrain(stop=1)
    with pytest.raises(UserError, match="is a run that has not ended"):
        run(small(f"init={tmp_path / 'pretrained'}"))
    folder = pretrain()
    with pytest.raises(UserError, match=r"does not fit this network: model.width=4 there, 6 here"):
        run(small(f"init={folder}", "model.width=6"))
    (folder / "best.safetensors").write_bytes((folder / "best.safetensors").read_bytes()[:-9])
    with pytest.raises(UserError, match=r"best.safetensors cannot be read: it was changed or cut short."):
        run(small(f"init={folder}"))


def test_lists_show_it_before_and_after_its_end(pretrain: Pretrain, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        pretrain(stop=2)
    before, after = read_run(tmp_path / "pretrained"), read_run(pretrain())
    assert (before.kind, before.num_done, before.num_total) == ("pretraining", 2, 3)
    assert (after.kind, after.status, after.num_done) == ("pretraining", "finished", 3)
    assert after.values == [result(tmp_path / "pretrained")["val/loss"]]
