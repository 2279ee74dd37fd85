"""The ensemble of the snapshots of a run: by the command, and of the folds of a cross-validation."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from applied_runs import evaluate
from small_runs import CLASSES, OVERRIDES, StoppedError, arrays, run, stop_after

from spectral import load_run
from spectral.ensembling.make import EnsembleOptions, make_ensemble
from sweeps.ensemble import command
from sweeps.study.find import CONFIG, names_in_outputs

OPTIONS = ("schedule.keep=last", "schedule.stages.0.epochs=4", "schedule.num_snapshots=2")
PROBABILITIES = [f"probability/{name}" for name in CLASSES]


@pytest.fixture(scope="module")
def outputs(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to work in, with a run of two snapshots in its outputs."""
    folder = tmp_path_factory.mktemp("work")
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}/outputs/runs/mine", *OVERRIDES, *OPTIONS])
    return folder


@pytest.fixture(autouse=True)
def there(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outputs)


def test_the_command_averages_the_snapshots_of_a_run_which_are_then_scored_on_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert command.main(["mine", "--snapshots", "--select", "all", "--out", str(out)]) == 0
    assert "the same command with --score-test does that" in capsys.readouterr().out
    snapshots = [f"outputs/runs/mine/snapshots/epoch-000{epoch}" for epoch in (2, 4)]
    made = json.loads((out / "result.json").read_text())
    assert [member["run"] for member in made["ensemble"]["members"]] == snapshots and not made["score_test"]
    evaluate(out, f"out={tmp_path / 'scores'}", f"cache_dir={tmp_path / 'cache'}")
    said = pd.read_parquet(tmp_path / "scores" / "predictions.parquet")
    assert set(said["split"]) == {"test"}
    flux = arrays()["flux"][[int(name[1:]) for name in said["id"]]]
    alone = [load_run(path, device="cpu", precision="float32").predict_proba(flux) for path in snapshots]
    np.testing.assert_allclose(said[PROBABILITIES], np.mean(alone, axis=0), rtol=1e-3, atol=1e-5)


def test_the_command_says_how_many_runs_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for select in ("all", "greedy"):
        assert command.main(["mine", "--snapshots", "--select", select, "--out", str(tmp_path / select)]) == 0
        num = len(json.loads((tmp_path / select / "result.json").read_text())["ensemble"]["members"])
        assert ("Left out: 1 of 2 runs" in capsys.readouterr().out) == (num == 1), select


def test_a_network_that_is_named_twice_is_not_said_to_be_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ["outputs/runs/mine/snapshots/epoch-0002", "outputs/runs/mine/snapshots/epoch-0004", "mine"]
    assert command.main([*named, "--select", "all", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "Left out: 1 of 3 runs, since a network that is named twice counts once" in said
    assert "no better on validation" not in said


def test_a_snapshot_is_named_like_any_run_and_not_among_those_in_outputs(tmp_path: Path) -> None:
    snapshots = [f"outputs/runs/mine/snapshots/epoch-000{epoch}" for epoch in (4, 2)]
    assert command.main([*snapshots, "--select", "all", "--out", str(tmp_path / "out")]) == 0
    made = json.loads((tmp_path / "out" / "result.json").read_text())
    assert [member["run"] for member in made["ensemble"]["members"]] == snapshots
    assert names_in_outputs(CONFIG) == ["mine"]


def test_runs_without_snapshots_or_result_are_refused(
    pack_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("outputs/runs/mine", tmp_path / "plain")
    shutil.rmtree(tmp_path / "plain" / "snapshots")
    stopped = tmp_path / "stopped"
    with pytest.raises(StoppedError):
        run(["data=packed", f"data.folder={pack_folder}", f"run_dir={stopped}", *OVERRIDES, *OPTIONS], stop_after(3))
    for folder, said in (
        (tmp_path / "plain", "plain has no snapshots: a run keeps them that is trained with"),
        (stopped, "stopped has not ended and its snapshots have no scores yet: resume it first."),
    ):
        assert command.main(["mine", str(folder), "--snapshots", "--out", str(tmp_path / "out")]) == 2
        assert said in capsys.readouterr().err
    half = stopped / "snapshots" / "epoch-0002"  # its weights alone
    assert command.main(["mine", str(half), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_snapshots_of_folds_are_candidates_by_their_number(pack_folder: Path, tmp_path: Path) -> None:
    own = [option for option in OVERRIDES if not option.startswith("split.")]
    for fold in range(2):
        split = ("split=kfold", "split.num_folds=2", f"split.fold={fold}")
        run(["data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path / str(fold)}", *own, *split, *OPTIONS])
    snapshots = sorted(tmp_path.glob("*/snapshots/*"))
    made = make_ensemble(snapshots, tmp_path / "out", EnsembleOptions(select="all"))["ensemble"]
    assert made["out_of_fold"] and made["num_candidates"] == 2
    names = [str(Path(member["run"]).relative_to(tmp_path)) for member in made["members"]]
    assert names == [f"{fold}/snapshots/epoch-000{epoch}" for epoch in (2, 4) for fold in (0, 1)]
