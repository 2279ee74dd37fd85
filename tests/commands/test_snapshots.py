"""The weights of some epochs, kept by one training in folders that are used as runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from applied_runs import evaluate
from small_runs import OVERRIDES, StoppedError, result, run, stages, stop_after

import spectral.training.trainer as training
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.runs.folder import RunFolder
from sweeps.ls.command import read_all

Overrides = Callable[..., list[str]]

OPTIONS = (
    "lr_schedule=cosine",
    "lr_schedule.num_cycles=2",
    "lr_schedule.warmup_fraction=0",
    "schedule.num_snapshots=2",
    "schedule.ema_decay=0.9",
    "schedule.keep=last",
    "sampler=schedule",  # each epoch has other fractions, and so another loss
    stages(
        {"name": "first", "epochs": 1, "steps": 3, "lr_schedule": "constant"},
        {"name": "second", "epochs": 4, "steps": 3},
    ),
)
EPOCHS = (3, 5)
FILES = {"config.yaml", "model.json", "best.safetensors", "predictions.parquet", "result.json"}


def kept(folder: Path) -> dict[str, Any]:
    """All that the snapshots of a run hold, but for times and the place of the folder."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "snapshots").glob("*")):
        config = yaml.safe_load((path / "config.yaml").read_text())
        assert config.pop("run_dir") == str(path)
        files = [(path / name).read_bytes() for name in sorted(FILES - {"config.yaml", "result.json"})]
        found[path.name] = (config, result(path), files)
    return found


@pytest.fixture(scope="module")
def whole(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two snapshots that was never stopped."""
    folder = tmp_path_factory.mktemp("snapshots") / "run"
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}", *OVERRIDES, *OPTIONS])
    return folder


def test_a_snapshot_is_what_the_run_keeps_when_it_stops_there(whole: Path, small: Overrides, tmp_path: Path) -> None:
    for epoch in EPOCHS:
        folder = tmp_path / str(epoch)
        with pytest.raises(StoppedError):
            run(small(*OPTIONS, folder=str(epoch)), stop_after(epoch))
        assert (folder / "best.safetensors").read_bytes() == RunFolder(whole).snapshot(epoch).weights.read_bytes()


def test_a_snapshot_is_a_finished_run_that_has_not_read_the_test_split(whole: Path) -> None:
    folders = sorted((whole / "snapshots").iterdir())
    assert [folder.name for folder in folders] == ["epoch-0003", "epoch-0005"]
    assert all({path.name for path in folder.iterdir()} == FILES for folder in folders)
    first, last = (result(folder) for folder in folders)
    assert [(said["snapshot"], said["best_epoch"], said["num_epochs"]) for said in (first, last)] == [
        (1, 3, 3),
        (2, 5, 5),
    ]
    of_run = result(whole)
    assert not [name for said in (first, last) for name in (*said, *said["confusion"]) if name.startswith("test")]
    own = {name: value for name, value in last.items() if name not in ("snapshot", "score_test", "confusion")}
    assert own == {name: of_run[name] for name in own}  # the run keeps its last weights
    assert first["val/log_loss"] != last["val/log_loss"] and not first["score_test"]
    said = [pd.read_parquet(path / "predictions.parquet") for path in (whole, folders[1])]
    validation = said[0][said[0]["split"] == "validation"].reset_index(drop=True)
    pd.testing.assert_frame_equal(validation, said[1])


def test_the_class_priors_of_a_snapshot_are_those_of_its_epoch(whole: Path) -> None:
    of_run, *of_snapshots = (
        Classifier.load(folder).output_prior
        for folder in (RunFolder(whole), *(RunFolder(whole).snapshot(epoch) for epoch in EPOCHS))
    )
    assert of_snapshots[1] == of_run == pytest.approx([1 / 3] * 3)
    assert of_snapshots[0] == pytest.approx([(1 / 2 + 1 / 3) / 2, *[(1 / 4 + 1 / 3) / 2] * 2], abs=0.01)


def test_a_snapshot_is_applied_and_is_no_run_of_the_list(whole: Path, tmp_path: Path) -> None:
    snapshot = whole / "snapshots" / "epoch-0003"
    evaluate(snapshot, "on=validation", f"out={tmp_path / 'scores'}", f"cache_dir={tmp_path / 'cache'}")
    assert result(tmp_path / "scores")["val/macro_f1"] == pytest.approx(result(snapshot)["val/macro_f1"])
    for place in (whole.parent, whole):
        assert [entry.folder for entry in read_all(place)[0]] == [whole]


@pytest.mark.parametrize(
    "epoch", [pytest.param(epoch, marks=pytest.mark.slow if epoch != 3 else ()) for epoch in range(1, 6)]
)
def test_a_stopped_run_ends_with_the_same_snapshots(epoch: int, whole: Path, small: Overrides, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(small(*OPTIONS), stop_after(epoch))
    assert not list((tmp_path / "run").glob("snapshots/*/config.yaml"))  # not yet a run
    run(small(*OPTIONS))
    assert kept(tmp_path / "run") == kept(whole)


@pytest.mark.slow
def test_a_run_stopped_before_the_checkpoint_of_a_snapshot_ends_with_the_same(
    whole: Path, small: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(trainer: training.Trainer, *_: Any) -> None:
        if trainer.epoch == EPOCHS[0]:
            raise StoppedError
        save(trainer, *_)

    save = training.Trainer._save
    with monkeypatch.context() as patch:
        patch.setattr(training.Trainer, "_save", stop)
        with pytest.raises(StoppedError):
            run(small(*OPTIONS))
    snapshot = RunFolder(tmp_path / "run").snapshot(EPOCHS[0])
    assert snapshot.weights.exists()
    snapshot.result.write_text("{}")  # as of an earlier start: it is not taken for that of the new weights
    seen: list[bool] = []
    run(small(*OPTIONS), lambda epoch, _row: seen.append(snapshot.result.exists()))
    assert seen == [False] * 3 and kept(tmp_path / "run") == kept(whole)


def test_a_snapshot_that_was_lost_has_a_way_out(whole: Path, small: Overrides, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(small(*OPTIONS), stop_after(4))
    folder = RunFolder(tmp_path / "run")
    folder.snapshot(EPOCHS[0]).weights.unlink()
    with pytest.raises(UserError, match=r"epoch-0003.*best\.safetensors cannot be read.*delete .*run/last\.ckpt"):
        run(small(*OPTIONS))
    folder.checkpoint.unlink()  # as the sentence says
    run(small(*OPTIONS))
    assert kept(tmp_path / "run") == kept(whole)
