"""Runs logged to the real Weights & Biases online, with a server on this machine in place of theirs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_runs import StoppedError, run, stop_after
from wandb_server import WandbServer, wandb_server

Overrides = Callable[..., list[str]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    with wandb_server() as opened:
        monkeypatch.setenv("WANDB_BASE_URL", opened.address)
        monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
        yield opened


@pytest.mark.slow
def test_a_server_that_refuses_files_gets_everything_else(
    server: WandbServer, tracked: Overrides, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The stand-in does not accept artifacts."""
    run(tracked("wandb"))
    assert "tracker=wandb stopped (ValidationError" in caplog.text
    assert [row["epoch"] for row in server.history] == [1, 2, 3]
    assert server.streams[-1]["exitcode"] == 0


def test_a_run_resumes_online_in_its_own_steps_and_the_folder_records_its_page(
    server: WandbServer, tracked: Overrides, tmp_path: Path
) -> None:
    options = ("plots=false", "tracker.upload_weights=never")
    with pytest.raises(StoppedError):
        run(tracked("wandb", *options), stop_after(2))
    run(tracked("wandb", *options))
    record = json.loads((tmp_path / "run" / "tracker.json").read_text())["wandb"]
    assert record["url"] == server.url_of(record["id"])
    assert {upsert["name"] for upsert in server.upserts} == {record["id"]}
    assert [(row["_step"], row["epoch"]) for row in server.history] == [(1, 1), (2, 2), (3, 3)]
    assert {upsert["host"] for upsert in server.upserts} <= {None, ""}
