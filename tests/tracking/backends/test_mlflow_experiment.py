"""Runs that begin at once with the same server; a stand-in for the library's client, which need not be installed."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import spectral.tracking.backends

SOURCE = Path(spectral.tracking.backends.__file__).with_name("mlflow.py")


class RefusedError(Exception):
    """What the library raises."""


class Client:
    """A client of a server on which another run creates the experiment just before this one does."""

    def __init__(self, others: list[str]) -> None:
        self._others, self._names = others, list[str]()

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id="7") if name in self._names else None

    def create_experiment(self, name: str, artifact_location: str | None) -> str:
        self._names += self._others
        raise RefusedError(f"{name} cannot be created")


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class of the tracker, imported with a stand-in for the library."""
    names = ["MlflowClient", "__version__", "Metric", "Param", "RunTag"]
    for name in ("mlflow", "mlflow.entities", "mlflow.exceptions"):
        stand_in = ModuleType(name)
        vars(stand_in).update(dict.fromkeys(names), MlflowException=RefusedError)
        monkeypatch.setitem(sys.modules, name, stand_in)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")  # which the module sets
    spec = importlib.util.spec_from_file_location("tracker_of_stand_in", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MlflowTracker


def begun(tracker: Any, client: Client) -> Any:
    made = tracker.__new__(tracker)
    made._client = client
    return made


def test_an_experiment_that_another_run_has_just_created_is_taken(tracker: Any) -> None:
    assert begun(tracker, Client(others=["spectral"]))._experiment_id("spectral", None) == "7"


def test_an_experiment_that_cannot_be_created_is_an_error(tracker: Any) -> None:
    with pytest.raises(RefusedError, match="spectral cannot be created"):
        begun(tracker, Client(others=[]))._experiment_id("spectral", None)
