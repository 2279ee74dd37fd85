"""TensorBoard and MLflow, read back with their own readers; they are optional, and so are these tests."""

import contextlib
import importlib.util
import json
import logging
import shlex
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from small_runs import StoppedError, outcome, run, stop_after

from spectral.configs.trackers import MlflowConfig, TensorboardConfig
from spectral.errors import UserError
from spectral.tracking.client import check_installed

Overrides = Callable[..., list[str]]


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log messages of the tracker."""
    return [record.getMessage() for record in caplog.records if record.name == "spectral.tracking.client"]


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_tensorboard_shows_the_run_and_its_pictures(
    tracked: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path / "my run"
    with pytest.raises(StoppedError):
        run(tracked("tensorboard", folder="my run"), stop_after(2))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run(tracked("tensorboard", folder="my run"))
    (message,) = messages(caplog)
    assert shlex.split(message.partition("to look at it: ")[2]) == ["tensorboard", "--logdir", f"{folder}/tensorboard"]
    events = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()
    for name in ("train/loss", "val/macro_f1", "val/f1/qso", "lr"):
        # Numbers are kept in float32.
        found = [(event.step, event.value) for event in events.Scalars(name)]
        assert found == [(row["epoch"], pytest.approx(row[name], rel=1e-6)) for row in metrics(folder)]
    assert {"curves", "confusion", "precision_recall"} <= set(tags["images"])
    assert events.Images("curves")[0].encoded_image_string == (folder / "plots" / "curves.png").read_bytes()
    assert events.Images("curves")[0].width > 500
    texts = [event.tensor_proto.string_val[0].decode() for event in events.Tensors("status")]
    assert texts == ["pruned", "finished"]
    about = json.loads(events.Tensors("run")[0].tensor_proto.string_val[0])
    assert about["config"]["model"]["width"] == 4


def test_tensorboard_appends_what_a_resumed_run_adds(tracked: Overrides, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(tracked("tensorboard", "plots=false", "score_test=false"))
    run(tracked("tensorboard", "plots=false", "score_test=true"))
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Tensors("status")] == [4, 5]
    assert [event.step for event in events.Scalars("result/test/macro_f1")] == [5]
    assert len(events.Tensors("run")) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # warnings of the reader's own libraries
def test_mlflow_keeps_the_run_in_its_folder(
    tracked: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    folder = tmp_path / "my run"
    options = ("tracker.tags=[small]", "tracker.finish_timeout_s=120")
    with pytest.raises(StoppedError):
        run(tracked("mlflow", *options, folder="my run"), stop_after(2))
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run(tracked("mlflow", *options, folder="my run"))
    (message,) = messages(caplog)
    shown = shlex.split(message.partition("to look at the run: ")[2])
    assert shown[:3] == ["mlflow", "ui", "--backend-store-uri"]
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=shown[3])
    (experiment,) = [e for e in client.search_experiments() if e.name == "spectral"]
    (logged,) = client.search_runs([experiment.experiment_id])
    assert (logged.info.status, logged.data.tags["status"], logged.data.tags["attempt"]) == (
        "FINISHED",
        "finished",
        "2",
    )
    assert logged.data.tags["small"] == "true" and logged.data.tags["job_type"] == "single"
    assert logged.data.params["model.width"] == "4"
    for name in ("train/loss", "val/macro_f1", "val/f1/qso"):
        history = sorted((m.step, m.value) for m in client.get_metric_history(logged.info.run_id, name))
        assert history == [(row["epoch"], row[name]) for row in metrics(folder)]
    kept = {path.name for path in (folder / "mlflow").rglob("*") if path.is_file()}
    assert {"curves.png", "confusion.png", "precision_recall.png", "best.safetensors", "model.json"} <= kept
    assert not Path("mlruns").exists() and not Path("mlflow.db").exists()


@contextlib.contextmanager
def mlflow_server(artifacts: Path) -> Iterator[str]:
    """The address of a stand-in for an MLflow server, which gives the same answer to every request."""
    info = {"run_id": "abc", "experiment_id": "7", "status": "RUNNING", "artifact_uri": artifacts.as_uri()}
    answer = {"experiment": {"experiment_id": "7", "name": "spectral"}, "run": {"info": info}, "run_info": info}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST  # noqa: N815  # http.server's names

        def log_message(self, *_arguments: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_the_folder_records_the_mlflow_page_of_the_run_without_a_password(
    tracked: Overrides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    with mlflow_server(tmp_path / "artifacts") as address, caplog.at_level(logging.INFO):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:hidden@{address}/")
        run(tracked("mlflow", "plots=false", "tracker.finish_timeout_s=120"))
    text = (tmp_path / "run" / "tracker.json").read_text()
    assert json.loads(text)["mlflow"]["url"] == f"http://{address}/#/experiments/7/runs/abc"
    assert "hidden" not in text
    assert messages(caplog) == [f"mlflow: the run is at http://{address}/#/experiments/7/runs/abc"]


@pytest.mark.slow
def test_an_unreachable_mlflow_server_is_named_and_not_waited_for(
    tracked: Overrides,
    small: Overrides,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hidden@127.0.0.1:9")
    run(tracked("mlflow"))
    (message,) = messages(caplog)
    assert "the server http://127.0.0.1:9 was not reached ([Errno 111] Connection refused)" in message
    assert "hidden" not in message and "hidden" not in (tmp_path / "run" / "tracker.log").read_text()
    run(small(folder="alone"))
    assert outcome(tmp_path / "run") == outcome(tmp_path / "alone")


@pytest.mark.slow
def test_an_mlflow_server_that_never_answers_is_given_up(
    tracked: Overrides, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listening.getsockname()[1]}")
        run(tracked("mlflow", "tracker.start_timeout_s=3"))
    (message,) = messages(caplog)
    assert "was not reached (timed out)" in message


@pytest.mark.parametrize(("config", "extra"), [(TensorboardConfig(), "tensorboard"), (MlflowConfig(), "mlflow")])
def test_a_missing_package_is_named(config: Any, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    cure = rf"python -m pip install -e '\.\[{extra}\]'"
    with pytest.raises(UserError, match=f"tracker={config.name} needs a package .*: {cure}, or"):
        check_installed(config)


def test_a_password_in_the_servers_address_is_refused() -> None:
    """The run folder would keep it."""
    with pytest.raises(UserError, match="MLFLOW_TRACKING_PASSWORD") as raised:
        MlflowConfig(uri="https://me:hidden@host/mlflow").check("tracker")
    assert "hidden" not in str(raised.value)


def test_no_library_is_imported_without_a_tracker(tracked: Overrides) -> None:
    before = {name for name in ("wandb", "tensorboard", "mlflow") if name in sys.modules}
    run(tracked("none", "plots=false"))
    assert before == {name for name in ("wandb", "tensorboard", "mlflow") if name in sys.modules}
