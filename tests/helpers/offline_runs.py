"""Offline runs of Weights & Biases, read back with its own reader."""

import json
import subprocess
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass
class OfflineRun:
    """A folder offline-run-TIME-ID."""

    folder: Path

    @cached_property
    def summary(self) -> dict[str, Any]:
        """name, config, tags, state, step, summary, ..."""
        loaded: dict[str, Any] = json.loads(self._inspect("--summary", "--json"))
        return loaded

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._inspect("--json").splitlines()]

    @property
    def about(self) -> dict[str, Any]:
        """display_name, run_group, job_type, tags, ..."""
        about: dict[str, Any] = next(record["run"] for record in self.records if record["type"] == "run")
        return about

    @property
    def history(self) -> list[dict[str, Any]]:
        """One row per step, under `_step`."""
        items = [record["history"] for record in self.records if record["type"] == "history"]
        return [item["item"] | {"_step": item["step"]["num"]} for item in items]

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The rows that metrics.jsonl has too."""
        return [row for row in self.history if "train/loss" in row]

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """The definition of each metric, by its name."""
        definitions = [record["metric"] for record in self.records if record["type"] == "metric"]
        return {metric.get("name") or metric["glob_name"]: metric for metric in definitions}

    @property
    def weights(self) -> set[str]:
        """Names of the files in the artifact of the trained network; empty if there is none."""
        artifacts = [record["artifact"] for record in self.records if record["type"] == "artifact"]
        models = [artifact for artifact in artifacts if artifact["type"] == "model"]
        return {Path(entry["path"]).name for model in models for entry in model["manifest"]["contents"]}

    def _inspect(self, *options: str) -> str:
        """What `wandb leet inspect` prints, without the start of Python in which it only calls this program."""
        (file,) = self.folder.glob("run-*.wandb")
        where = ["--run-file", str(file), str(self.folder.parent)]
        command = [_core(), "leet", "inspect", "--no-observability", *options, *where]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@cache
def _core() -> str:
    """The program of the library that reads its files; found without importing the library."""
    spec = find_spec("wandb")
    assert spec and spec.origin
    return str(Path(spec.origin).parent / "bin" / "wandb-core")


def offline_runs(run_folder: Path) -> list[OfflineRun]:
    """The offline runs of a run folder, one per start, oldest first."""
    return [OfflineRun(path) for path in sorted((run_folder / "wandb").glob("offline-run-*"))]


def check_epochs(run_folder: Path, rows: list[dict[str, Any]]) -> None:
    """Check that the tracker has all of metrics.jsonl, each epoch at its own step."""
    expected = [json.loads(line) for line in (run_folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["_step"] for row in rows] == [row["epoch"] for row in expected]
    for logged, row in zip(rows, expected, strict=True):
        assert {key: logged[key] for key in row} == row
        assert logged[f"train/loss/{row['stage']}"] == row["train/loss"]


def check_grid(folder: Path, names: list[str]) -> None:
    """Check that each trial of a finished grid was logged: in the group of its study, with all epochs."""
    starts = [offline_runs(folder / str(number)) for number in range(len(names))]
    for number, (first, *later) in enumerate(starts):
        assert (first.about["display_name"], first.about["run_group"]) == (names[number], folder.name)
        assert (first.about["job_type"], first.summary["summary"]["status"]) == ("grid", "finished")
        check_epochs(folder / str(number), first.epochs)
        assert [run.about["job_type"] for run in later] in ([], ["final"])
    assert [len(of_trial) for of_trial in starts].count(2) == 1  # the best one's test scores
    (study,) = offline_runs(folder)
    assert (study.about["run_group"], study.about["job_type"]) == (folder.name, "sweep")
    assert [row["trials ended"] for row in study.history if "trial" in row] == list(range(1, len(names) + 1))
