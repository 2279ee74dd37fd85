"""The run's side of its tracker: logs what happens, never waits for it but at the end, and never fails for it."""

import importlib.util
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from spectral.configs.trackers import trackers
from spectral.errors import UserError
from spectral.tracking.backends.contract import Ending, TrackedRun

log = logging.getLogger(__name__)

LOG = "tracker.log"
# What pip installs for a tracker: the extra that brings its library.
INSTALLED_BY = {"wandb": ".", "tensorboard": ".[tensorboard]", "mlflow": ".[mlflow]"}
# The path comes first: without it `spectral` may not be found.
START = "import sys; sys.path[:] = {path!r}; from spectral.tracking.backends.process import main; main()"
HAVE_SERVER = ("wandb", "mlflow")  # how long it may take to reach it is one of their options
GRACE_S = 5.0  # a tracker ends itself when its time is over; this long after it is ended by force
OPTIONS_OF_RUN = ("name", "upload_weights", "start_timeout_s", "finish_timeout_s")  # the others are the tracker's own
# An offline run calls nobody; the tracker's own process has its own connection, and needs no GPU or second thread.
ENVIRONMENT = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true", "OMP_NUM_THREADS": "1"}
NOT_INHERITED = ("WANDB_SERVICE", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_DIR", "WANDB_NAME", "WANDB_RUN_GROUP")


def check_installed(config: Any) -> None:
    """Raise UserError if the library of a tracker's typed config is missing."""
    extra = INSTALLED_BY.get(config.name)
    if extra and importlib.util.find_spec(config.name) is None:
        raise UserError(
            f"tracker={config.name} needs a package that is not installed: python -m pip install -e '{extra}', "
            "or tracker=none."
        )


class Tracking:
    """One run, and the process of its tracker. Rows are logged again if the process is lost."""

    def __init__(self, config: Any, run: TrackedRun) -> None:
        """Start the tracker's process.

        Args:
            config: typed, of the group `tracker`.
        """
        self._config, self._run = config, run
        self._rows: dict[int, dict[str, Any]] = {}
        self._process = TrackerProcess(config, run)

    def log(self, row: Mapping[str, Any], step: int) -> None:
        """Send a step; returns at once."""
        self._rows[step] = dict(row)
        self._process.send({"row": dict(row), "step": step})

    def finish(self, ending: Ending) -> None:
        """Tell how the run ended, and wait for the tracker, at most as long as its config allows.

        A tracker that was lost on the way is started once more, and everything is logged again.
        """
        deadline = time.monotonic() + self._config.finish_timeout_s
        self._process.send({"ending": asdict(ending)})
        self._process.end()
        left_s = deadline - time.monotonic()
        if self._process.was_lost and left_s > 0:
            again = TrackerProcess(replace(self._config, finish_timeout_s=left_s), self._run, is_replacement=True)
            for step, row in self._rows.items():
                again.send({"row": row, "step": step})
            again.send({"ending": asdict(ending)})
            again.end()


class TrackerProcess:
    """A process that serves one tracker. None of its methods raises or waits, but for `end`.

    `was_lost`: whether it died after it had started, other than by an error of its own.
    """

    def __init__(self, config: Any, run: TrackedRun, *, is_replacement: bool = False) -> None:
        """Start the process.

        Args:
            is_replacement: of a process that was lost, so that the user knows of the problem already.
        """
        self._name, self._timeout_s = config.name, config.finish_timeout_s
        self._log = Path(run.folder) / LOG
        self._orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._has_told, self._has_started, self._has_ended, self.was_lost = is_replacement, False, False, False
        self._threads: list[threading.Thread] = []
        try:
            self._process = self._start()
        except OSError as error:
            self._problem(str(error))
            return
        self.send(_beginning(config, run) | {"is_replacement": is_replacement})
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._write, self._read)]
        for thread in self._threads:
            thread.start()

    def send(self, order: dict[str, Any]) -> None:
        self._orders.put(order)

    def end(self) -> None:
        """Nothing more is sent: wait for the process, which is ended by force if it takes too long."""
        if not self._threads:
            return
        self._orders.put(None)
        try:
            self._process.wait(self._timeout_s + GRACE_S)
        except subprocess.TimeoutExpired:
            self._problem(f"it did not end within {self._timeout_s:g} s")
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(GRACE_S)
        with suppress(OSError):
            if self._log.stat().st_size == 0:
                self._log.unlink()

    def _start(self) -> "subprocess.Popen[str]":
        environment = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-c", START.format(path=sys.path)],
                env=environment | ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # neither Ctrl-C nor the end of the run's group cuts off what it writes
            )

    def _write(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError), self._process.stdin as stdin:
            while (order := self._orders.get()) is not None:
                stdin.write(json.dumps(order) + "\n")
                stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                self._on_message(**json.loads(line))
        if not self._has_ended:
            self._on_lost("its process was killed")

    def _on_message(self, kind: str, sentence: str) -> None:
        self._has_ended = kind != "started"
        if kind == "started":
            self._has_started = True
        elif kind == "lost":
            self._on_lost(sentence)
        elif kind == "problem":
            self._problem(sentence)
        elif sentence:
            log.info("%s: %s", self._name, sentence)

    def _on_lost(self, sentence: str) -> None:
        """It had started, and may start again."""
        self.was_lost = self._has_started
        self._problem(sentence)

    def _problem(self, sentence: str) -> None:
        """Logged once: what follows from it says no more."""
        if not self._has_told:
            self._has_told = True
            log.warning(
                "tracker=%s stopped (%s); the run is not touched by it. See %s.", self._name, sentence, self._log
            )


def _beginning(config: Any, run: TrackedRun) -> dict[str, Any]:
    """The first order: what to build, and how long it may take."""
    options = {key: value for key, value in vars(config).items() if key not in OPTIONS_OF_RUN}
    if config.name in HAVE_SERVER:
        options["start_timeout_s"] = config.start_timeout_s
    return {
        "name": config.name,
        "builder": trackers.entry(config.name).builder,
        "options": options,
        "run": asdict(replace(run, folder=str(Path(run.folder).absolute()))),
        "start_timeout_s": config.start_timeout_s,
        "finish_timeout_s": config.finish_timeout_s,
    }
