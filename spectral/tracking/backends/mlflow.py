"""MLflow (https://mlflow.org): a server, or a database and a folder of artifacts in the run folder."""

import os
import re
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read while it is imported

from mlflow import MlflowClient, __version__
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from spectral.tracking.backends.address import without_password
from spectral.tracking.backends.contract import Ending, TrackedRun

HTTP = ("https://", "http://")
START_RETRIES = 2  # of a question to the server; the library's own are 7, which take minutes
MAX_VALUE_LENGTH = 6000  # of a parameter
UI_MISSING = f"which needs the whole package: python -m pip install mlflow=={__version__}"
STATUS = {"finished": "FINISHED", "pruned": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}


class NotReachedError(OSError):
    """A server does not answer."""


class MlflowTracker:
    """See MlflowConfig for the options."""

    def __init__(
        self, run: TrackedRun, uri: str | None, experiment: str, tags: list[str], start_timeout_s: float
    ) -> None:
        self._tracked, self._experiment, self._tags, self._timeout_s = run, experiment, tags, start_timeout_s
        self._server = uri or os.environ.get("MLFLOW_TRACKING_URI")
        self._store = self._server or f"sqlite:///{run.folder}/mlflow.db"
        self._client = MlflowClient(tracking_uri=self._store)
        with self._reached(), _impatient(self._timeout_s):
            self.id = self._begin()
            self.url = self._url(self._server) if self._server else None
        self.last_written_step = run.last_step

    def log(self, row: dict[str, float], step: int) -> None:
        with self._reached():
            self._write({name: value for name, value in row.items() if not isinstance(value, str)}, step)
        self.last_written_step = step

    def finish(self, ending: Ending) -> str:
        with self._reached():
            self._end(ending)
        return self._where()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Make one sentence, without a password, of what the library says of a server that does not answer."""
        try:
            yield
        except MlflowException as error:
            cause = _first_cause(error)
            if cause is error or not (self._server or "").startswith(HTTP):
                raise
            raise NotReachedError(f"the server {without_password(self._store)} was not reached ({cause})") from None

    def _begin(self) -> str:
        """Begin the run, or resume it; gives its id."""
        run_id = self._tracked.id
        if run_id is None:
            own = None if self._server else (Path(self._tracked.folder) / "mlflow").as_uri()
            where = self._experiment_id(self._experiment, own)
            run_id = str(self._client.create_run(where, run_name=self._tracked.name or None).info.run_id)
            self._write_config(run_id)
        else:
            self._client.update_run(run_id, status="RUNNING")
        self._write_tags(run_id)
        return run_id

    def _end(self, ending: Ending) -> None:
        with _impatient(self._timeout_s):  # not for files, which may take their time
            self._write({k: v for k, v in ending.numbers.items() if isinstance(v, int | float)}, 0)
        for tag, value in {"status": ending.status, "reason": ending.reason}.items():
            self._client.set_tag(self.id, tag, value)
        for folder, files in {"plots": list(ending.images.values()), "weights": ending.weights}.items():
            for path in files:
                self._client.log_artifact(self.id, path, folder)
        self._client.set_terminated(self.id, STATUS[ending.status])

    def _where(self) -> str:
        """How to look at the run."""
        if self.url:
            return f"the run is at {without_password(self.url)}"
        if self._store.startswith("databricks"):
            return f"the run is kept by {self._store}"
        command = f"mlflow ui --backend-store-uri {shlex.quote(without_password(self._store))}"
        needs = "" if find_spec("flask") else f" ({UI_MISSING})"
        return f"to look at the run: {command}{needs}"

    def _experiment_id(self, name: str, artifacts: str | None) -> str:
        if (known := self._known_experiment(name)) is not None:
            return known
        try:
            created: str = self._client.create_experiment(name, artifact_location=artifacts)
        except MlflowException:
            if (known := self._known_experiment(name)) is None:
                raise
            return known  # another run has created it since
        return created

    def _known_experiment(self, name: str) -> str | None:
        found = self._client.get_experiment_by_name(name)
        return None if found is None else str(found.experiment_id)

    def _url(self, server: str) -> str | None:
        if not server.startswith(HTTP):
            return None
        experiment = self._client.get_run(self.id).info.experiment_id
        return f"{server.rstrip('/')}/#/experiments/{experiment}/runs/{self.id}"

    def _write_config(self, run_id: str) -> None:
        params = [Param(_name(key), str(value)[:MAX_VALUE_LENGTH]) for key, value in _flat(self._tracked.config)]
        self._client.log_batch(run_id, params=params)  # the library splits what is too much for one call

    def _write_tags(self, run_id: str) -> None:
        """What may be another at a later start."""
        run = self._tracked
        about = {"group": run.group, "job_type": run.job_type, "attempt": str(run.attempt)}
        about |= dict.fromkeys(self._tags, "true")
        self._client.log_batch(run_id, tags=[RunTag(_name(key), value) for key, value in about.items()])

    def _write(self, numbers: Mapping[str, float], step: int) -> None:
        now_ms = int(time.time() * 1000)
        metrics = [Metric(_name(key), float(value), now_ms, step) for key, value in numbers.items()]
        self._client.log_batch(self.id, metrics=metrics)


@contextmanager
def _impatient(timeout_s: float) -> Iterator[None]:
    """Each question of the block is asked a few times, together about that long, if the user does not say it."""
    a_time_s = max(1, round(timeout_s / (1 + START_RETRIES)))
    asked = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(START_RETRIES), "MLFLOW_HTTP_REQUEST_TIMEOUT": str(a_time_s)}
    asked = {name: value for name, value in asked.items() if name not in os.environ}
    os.environ.update(asked)
    try:
        yield
    finally:
        for name in asked:
            del os.environ[name]


def _first_cause(error: BaseException) -> BaseException:
    """The error that led to another; itself where none did."""
    while (earlier := error.__cause__ or error.__context__) is not None:
        error = earlier
    return error


def _name(key: str) -> str:
    """As MLflow allows it: class names may hold other letters."""
    return re.sub(r"[^\w\-. :/]", "_", key)


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(node, Mapping):
        yield prefix, node
        return
    for key, value in node.items():
        yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
