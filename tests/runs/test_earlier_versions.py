"""Runs of earlier versions are listed, applied, scored and resumed."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from earlier_versions import VERSIONS, enter_copy, run_command
from small_runs import composed, rows, run

from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.runs.folder import RunFolder
from sweeps.ls import command as ls
from sweeps.results.run import Run

RUNS = Path("runs")
FINISHED = ["runs/finished", "runs/held_back", "runs/whole", *(f"outputs/sweeps/small/{n}" for n in range(3))]
UNFINISHED = ["runs/unfinished", "outputs/sweeps/small/3"]
ON_CPU = ("device=cpu", "precision=float32", "num_threads=1", "cache_dir=surveys")
SURE = 1e-3  # two classes closer than this may change places by rounding on another processor


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A version, whose runs are in the working directory."""
    enter_copy(request.param, tmp_path, monkeypatch)
    return str(request.param)


def apply(name: str, *overrides: str) -> None:
    """Call the main function of spectral.evaluate or spectral.predict as Hydra would."""
    main = importlib.import_module(f"spectral.{name}").main
    main.__wrapped__.__wrapped__(composed([*ON_CPU, *overrides], name))


def predictions(folder: str) -> pd.DataFrame:
    """The run's predictions by its stored rule; a fitted rule predicts validation fold by fold."""
    stored = pd.read_parquet(Path(folder) / "predictions.parquet").set_index("id")
    is_fitted = RunFolder(folder).load_config()["decision"]["name"] != "argmax"
    stored = stored[stored["split"] == "test"] if is_fitted else stored
    probability = np.sort(stored.filter(like="probability/").to_numpy(), axis=1)
    return stored[probability[:, -1] - probability[:, -2] > SURE]


def result_of(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((RUNS / name / "result.json").read_text())
    return loaded


def test_every_run_of_an_earlier_version_is_read(version: str) -> None:
    for path in [*FINISHED, *UNFINISHED]:
        folder = RunFolder.existing(path)
        assert folder.load_config()["seed"] == 3
        assert Classifier.load(folder).class_names == ["star", "galaxy", "qso"]
        assert (folder.load_result() is not None) == (path in FINISHED)


def test_every_run_of_an_earlier_version_is_listed(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ls.main(["runs", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert {name: entry["num_done"] for name, entry in listed.items()} == {
        **dict.fromkeys(("finished", "held_back", "whole"), 4),
        "unfinished": 2,
    }
    assert {name for name, entry in listed.items() if entry["status"] == "finished"} == {
        "finished",
        "held_back",
        "whole",
    }
    assert all(len(entry["values"]) == 1 for entry in listed.values())


@pytest.mark.parametrize("path", FINISHED)
def test_a_run_still_predicts_the_same_classes(version: str, path: str) -> None:
    apply("predict", f"run={path}", "data=arrays", "data.path=survey.npz", "data.num_workers=1", "out=out.parquet")
    decided = pd.read_parquet("out.parquet").set_index("id")["predicted"]
    stored = predictions(path)["predicted"]
    assert len(stored) > 10
    assert decided[stored.index].tolist() == stored.tolist()


def test_a_run_still_has_the_same_scores(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As whole counts: four decimals of a score of 16 spectra."""
    for name, what in (("finished", " by the decision rule"), ("whole", "")):
        apply("evaluate", f"run=runs/{name}")
        assert f"test macro-F1{what} {result_of(name)['test/macro_f1']:.4f}" in capsys.readouterr().out


def test_scores_of_a_fitted_rule_stand_under_its_own_name(version: str) -> None:
    """Version 0.1 wrote them under the names of argmax."""
    stored, folder = result_of("finished"), RunFolder(RUNS / "finished")
    read = Run(folder.path).result
    for name in ("macro_f1", "macro_f1_low", "f1/qso", "accuracy"):
        assert read[f"val/decision/{name}"] == stored[f"val/{name}"]
        assert read[f"test/decision/{name}"] == stored[f"test/{name}"]
    best = folder.read_metrics()[stored["best_epoch"] - 1]
    assert read["val/macro_f1"] == pytest.approx(best["val/macro_f1"], abs=1e-6)
    assert Run(RUNS / "whole").result == result_of("whole")


def test_an_unfinished_run_is_resumed(version: str) -> None:
    before = rows(RUNS / "unfinished")
    added: list[int] = []
    run(run_command(version, "unfinished"), lambda epoch, _row: added.append(epoch))
    assert added == [3, 4]
    assert rows(RUNS / "unfinished")[:2] == before
    whole, resumed = result_of("whole"), result_of("unfinished")
    assert resumed["num_epochs"] == 4 and resumed["train/num_spectra"] == whole["train/num_spectra"]
    assert resumed["train/loss"] == pytest.approx(whole["train/loss"], rel=0.1)


def test_a_test_split_that_was_held_back_is_scored(version: str) -> None:
    before = result_of("held_back")
    run([*run_command(version, "held_back"), "score_test=true"])
    after = result_of("held_back")
    assert after["test/num_spectra"] == 16 and 0 <= after["test/macro_f1"] <= 1
    assert {key: after[key] for key in before if key not in ("score_test", "confusion")} == {
        key: value for key, value in before.items() if key not in ("score_test", "confusion")
    }


def test_a_finished_run_gives_its_result_again(version: str) -> None:
    before = (RUNS / "finished" / "result.json").read_bytes()
    assert run(run_command(version, "finished")) == Run(RUNS / "finished").result["val/macro_f1"]
    assert (RUNS / "finished" / "result.json").read_bytes() == before


def test_another_config_is_still_refused(version: str) -> None:
    with pytest.raises(UserError, match=r"optimizer\.lr=0\.02, this command has optimizer\.lr=0\.03"):
        run([*run_command(version, "unfinished"), "optimizer.lr=0.03"])
