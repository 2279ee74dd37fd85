"""What is logged about a whole study, and its view. How it reaches a tracker: tests/sweeps/test_sweep_wandb.py."""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from loop_runs import Call, sweep
from omegaconf import OmegaConf

from sweeps.dashboard.command import main as dashboard_main
from sweeps.tracking import best_so_far, track_study, what_decides
from sweeps.wandb_workspace import build_workspace, keys_of_axes
from sweeps.wandb_workspace import main as workspace_main

OF_LIBRARY = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # wandb-workspaces 0.4 under Pydantic 2
SPACE: dict[str, Any] = {"x": {"low": 0.0, "high": 1.0}, "kind": ["near", "far"]}


def loss(call: Call) -> float:
    """A loss that depends on x alone."""
    return float(call.values["x"])


def test_the_best_so_far_respects_the_constraints_and_the_direction(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        (call.folder / "result.json").write_text(json.dumps({"size": 10 * call.values["x"]}))
        return float(call.values["x"])

    values = [0.5, 0.1, 0.3, 0.4]
    options = {"enqueue": [{"x": x} for x in values], "constraints": {"size": {"at_least": 2}}}
    done = sweep(tmp_path, {"x": SPACE["x"]}, task, num_slots=1, num_trials=4, **options)
    rows = list(best_so_far(done.trials, "score", done.study.study.directions[0]))
    assert [row["score"] for row in rows] == values
    assert [row["best so far/score"] for row in rows] == [0.5, 0.5, 0.3, 0.3]


def test_every_ended_trial_is_counted_and_only_scores_are_logged(tmp_path: Path) -> None:
    def task(call: Call) -> float:
        if call.values["x"] == 2:
            raise ArithmeticError("two")
        return float(call.values["x"])

    done = sweep(tmp_path, {"x": [1, 2, 3]}, task, num_slots=1, sampler="grid")
    rows = list(best_so_far(done.trials, "score", done.study.study.directions[0]))
    assert [(row["trials ended"], row["trial"]) for row in rows] == [(1, 0), (3, 2)]


def test_importances_and_axes_are_logged(tmp_path: Path) -> None:
    shares = {"shares": {"type": "simplex", "size": 2}}  # whose helper parameters in Optuna must not appear
    done = sweep(tmp_path, SPACE | shares, loss, num_trials=40, sampler="random")
    weights, figure = what_decides(done.study, tmp_path)
    assert next(iter(weights)) == "x" and weights["x"] > 0.7 and weights.keys() == {"x", "kind", "shares"}
    x, *others, score = json.loads(str(figure))["data"][0]["dimensions"]
    assert (x["label"], score["label"]) == ("x", "score")
    assert {other["label"] for other in others} == {"kind", "shares: share 1", "shares: share 2"}
    assert next(other for other in others if other["label"] == "kind")["ticktext"] == ["near", "far"]


def test_a_study_of_a_few_trials_has_no_importances(tmp_path: Path) -> None:
    assert what_decides(sweep(tmp_path, SPACE, loss, num_trials=5).study, tmp_path)[0] == {}
    assert what_decides(sweep(tmp_path / "one", SPACE, loss, num_trials=1).study, tmp_path) == ({}, None)


@pytest.mark.usefixtures("no_key")
@pytest.mark.parametrize(
    ("tracker", "logged"),
    [
        (None, []),
        ({"name": "none"}, []),
        ({"name": "tensorboard"}, []),
        ({"name": "mlflow"}, []),
        ({"name": "wandb"}, ["sweep study"]),
    ],
    ids=str,
)
def test_a_study_is_logged_only_to_trackers_that_take_studies(
    tracker: Any, logged: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = Mock()
    monkeypatch.setattr("spectral.tracking.client.Tracking", begun)
    done = sweep(tmp_path, SPACE, loss, num_trials=1)
    track_study(done.study, tmp_path, OmegaConf.create(tracker) if tracker else None)
    assert [call.args[1].name for call in begun.call_args_list] == logged


@pytest.mark.slow
@pytest.mark.usefixtures("no_key")
def test_a_study_is_logged_again_only_if_there_is_news(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    folder = tmp_path / "my study"
    (folder / "0" / "wandb" / "offline-run-of-a-trial").mkdir(parents=True)
    done = sweep(folder, SPACE, loss, num_trials=2)
    tracker = OmegaConf.create({"name": "wandb", "mode": "offline"})

    def starts(*, has_news: bool) -> int:
        track_study(done.study, folder, tracker, has_news=has_news)
        return len(list(folder.glob("wandb/offline-run-*")))

    assert starts(has_news=False) == 1  # it was never logged before
    (line,) = [line for line in caplog.messages if line.startswith("wandb")]
    assert f"to upload it: wandb sync '{folder}/wandb/offline-run-" in line
    assert line.endswith(f"' '{folder}'/*/wandb/offline-run-*")
    assert starts(has_news=False) == 1
    assert starts(has_news=True) == 2


def test_the_summary_gives_the_tensorboard_command_for_all_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my study"
    done = sweep(folder, SPACE, loss, num_trials=1)
    tracker = OmegaConf.create({"name": "tensorboard"})
    track_study(done.study, folder, tracker)
    assert capsys.readouterr().out == ""  # no job has logged anything
    (folder / "0" / "tensorboard").mkdir(parents=True)
    (folder / "0" / "tensorboard" / "events.out.tfevents.1").touch()
    track_study(done.study, folder, tracker)
    assert capsys.readouterr().out == f"To look at its trials: tensorboard --logdir '{folder}'\n"


def test_an_error_in_logging_does_not_harm_the_sweep(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    done = sweep(tmp_path, SPACE, loss, num_trials=1)
    with caplog.at_level(logging.WARNING):
        track_study(done.study, tmp_path, OmegaConf.create({"name": "wandb", "mode": "no such mode"}))
    assert "The study could not be logged to its tracker: UserError: tracker.mode=no such mode" in caplog.text


@OF_LIBRARY
def test_the_view_shows_the_runs_of_the_study_best_first(tmp_path: Path) -> None:
    pytest.importorskip("wandb_workspaces")
    done = sweep(tmp_path, SPACE, loss, num_trials=2)
    view = build_workspace(done.study.study, "team", "spectral")
    assert (view.entity, view.project, view.name) == ("team", "spectral", "Study study")
    assert view.runset_settings.filters == "Metric(\"Group\") == 'study'"
    (order,) = view.runset_settings.order
    assert (order.item.name, order.ascending) == ("score.min", True)
    search, _, best_so_far_plot = view.sections[0].panels
    assert [column.metric.name for column in search.columns] == ["kind", "x", "score.min"]
    assert (best_so_far_plot.x, best_so_far_plot.title) == ("trials ended", "Best so far")
    sent = view._to_model().model_dump_json()
    assert '{"key":{"section":"run","name":"group"},"op":"=","value":"study","disabled":false}' in sent


@OF_LIBRARY
def test_the_view_has_panels_for_plots_and_misclassified_spectra(tmp_path: Path) -> None:
    """A config group is a mapping in the config of a run."""
    pytest.importorskip("wandb_workspaces")
    config = "sampler: {name: fractions}\noptimizer: {lr: 0.1}\n"

    def task(call: Call) -> float:
        (call.folder / "config.yaml").write_text(config)
        return 1.0

    done = sweep(tmp_path, {"sampler": ["fractions"], "optimizer.lr": [0.1]}, task, num_trials=1, sampler="random")
    view = build_workspace(done.study.study, "team", "spectral", tmp_path)
    columns = [column.metric.name for column in view.sections[0].panels[0].columns]
    assert sorted(columns) == ["optimizer.lr", "sampler.name", "score.min"]
    pictures, table = view.sections[2].panels
    assert pictures.media_keys == ["confusion", "precision_recall"] and table.table_name == "misclassified"
    assert '"config:sampler.value.name"' in view._to_model().model_dump_json()


def test_the_view_has_a_column_for_the_share_of_each_class(tmp_path: Path) -> None:
    shares: dict[str, Any] = {"sampler.fractions": {"type": "simplex", "classes": ["star", "qso"]}}
    done = sweep(tmp_path, {"x": SPACE["x"]} | shares, loss, num_trials=1)
    assert keys_of_axes(done.trials, tmp_path) == ["sampler.fractions.qso", "sampler.fractions.star", "x"]


@OF_LIBRARY
def test_the_command_reports_what_it_cannot_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("wandb_workspaces")
    sweep(tmp_path, SPACE, loss, num_trials=1)
    assert workspace_main([str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert output.splitlines()[1:5] == [
        "  Search",
        "    Parallel coordinates: kind, x, score.min",
        "    Importance of each parameter for score.min",
        "    Best so far: best so far/score, by trials ended",
    ]
    assert "    Table: misclassified" in output.splitlines()
    assert output.endswith("to save it on a server, give --entity and --save.\n")
    assert workspace_main(["nowhere"]) == 2
    assert "there is no study nowhere" in capsys.readouterr().err


BAD_STORAGES = [
    ("foo://x", "is not the URL of a database"),
    ("sqlite:////nowhere/studies.db", "there is no file /nowhere/studies.db"),
    ("postgresql://user:hidden@host/studies", "holds a password"),
]


@pytest.mark.parametrize("command", [workspace_main, dashboard_main])
@pytest.mark.parametrize(("url", "message"), BAD_STORAGES)
def test_a_storage_that_cannot_be_opened_is_reported_in_one_sentence(
    command: Callable[[list[str]], int], url: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    study = ["study"] if command is workspace_main else []
    assert command([*study, "--storage", url]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ") and message in printed and printed.count("\n") == 1 and "hidden" not in printed


def test_a_missing_driver_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for command, study in ((workspace_main, ["study"]), (dashboard_main, [])):
        assert command([*study, "--storage", "postgresql://user@host/studies"]) == 2
        assert "python -m pip install -e '.[postgresql]'" in capsys.readouterr().err
