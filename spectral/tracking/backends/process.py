"""The tracker's process: reads a line of JSON for each thing to do, and writes one for each thing to say.

It outlives a run that is killed: the end of its input is the run's end, and what was logged until then is still
written. A tracker that hangs is ended, with the processes it started, when its time is over.
"""

import faulthandler
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import psutil
from filelock import FileLock

from spectral.files import write_json
from spectral.table import Table
from spectral.tracking.backends.address import without_password
from spectral.tracking.backends.contract import Ending, TrackedRun, Tracker

RECORD = "tracker.json"
UNKNOWN = {"id": None, "url": None, "attempt": 0, "last_step": 0, "last_written_step": 0}  # of a tracker in RECORD
LOCK = "tracker.lock"
LOST = Ending("interrupted", "the run's process has ended without a word")


class Voice:
    """What is said to the run's process, which may be gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def say(self, kind: str, sentence: str = "") -> None:
        """Send a message to the run's process.

        Args:
            kind: started, ended, problem, or lost: a process that the tracker itself uses has died.
        """
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(json.dumps({"kind": kind, "sentence": sentence}) + "\n")
            self._stream.flush()


def main() -> None:
    """Serve one run to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the run's own process decides
    with suppress(OSError):
        os.nice(5)
    voice = Voice(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # whatever libraries print goes to the log
    orders: queue.Queue[dict[str, Any] | None] = queue.Queue()
    begin = json.loads(sys.stdin.readline())
    threading.Thread(target=_listen, args=(orders, voice, begin["finish_timeout_s"]), daemon=True).start()
    try:
        sentence = _serve(begin, orders, voice)
    except BaseException as error:
        traceback.print_exc()  # into the log
        kind = "lost" if isinstance(error, ConnectionError) else "problem"
        voice.say(kind, f"{type(error).__name__}: {error}".splitlines()[0])
        _end(1)
    voice.say("ended", sentence)
    _end(0)


def _listen(orders: "queue.Queue[dict[str, Any] | None]", voice: Voice, timeout_s: float) -> None:
    """Take in what is to be done; from its end on the time runs."""
    with suppress(OSError, ValueError):
        for line in sys.stdin:
            orders.put(json.loads(line))
    orders.put(None)
    time.sleep(timeout_s)
    faulthandler.dump_traceback(sys.stderr)  # into the log: where it hangs
    voice.say("problem", f"it did not end within {timeout_s:g} s")
    _end(1)


def _end(code: int) -> None:
    """End at once: exit handlers of a library might wait for ever."""
    with suppress(psutil.Error):  # if the system does not say which they are
        for child in psutil.Process().children():
            with suppress(psutil.Error):
                child.kill()
    os._exit(code)


def _serve(begin: dict[str, Any], orders: "queue.Queue[dict[str, Any] | None]", voice: Voice) -> str:
    folder, name = Path(begin["run"]["folder"]), begin["name"]
    # A run that was killed a moment ago may still have its tracker's process.
    with FileLock(folder / LOCK, timeout=begin["start_timeout_s"] + begin["finish_timeout_s"]):
        records = _records(folder)
        records[name] = known = UNKNOWN | records.get(name, {})
        # A finished run is only added to, and a process that takes the place of a lost one begins nothing.
        is_attempt = not begin["run"]["is_finished"] and not begin["is_replacement"]
        known["attempt"] = max(1, known["attempt"] + is_attempt)
        write_json(folder / RECORD, records)
        tracker = _build(begin, known)
        known["id"], known["url"] = tracker.id, without_password(tracker.url or "") or known["url"]
        write_json(folder / RECORD, records)
        voice.say("started")
        sentence = _follow(tracker, known, orders)
        write_json(folder / RECORD, records)
        return sentence


def _records(folder: Path) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return {}
    return loaded


def _build(begin: dict[str, Any], known: dict[str, Any]) -> Tracker:
    module, _, attribute = begin["builder"].partition(":")
    run = TrackedRun(**begin["run"] | {key: value for key, value in known.items() if key != "url"})
    tracker: Tracker = getattr(import_module(module), attribute)(run=run, **begin["options"])
    return tracker


def _follow(tracker: Tracker, known: dict[str, Any], orders: "queue.Queue[dict[str, Any] | None]") -> str:
    """Do what is ordered until the run ends; steps that an earlier start has written for good are left out."""
    written = known["last_step"]
    while (order := orders.get()) is not None:
        if "ending" in order:
            sentence = tracker.finish(_ending(order["ending"]))
            break
        if order["step"] > written:
            tracker.log(order["row"], order["step"])
            written = order["step"]
    else:
        sentence = tracker.finish(LOST)
    # Not before: a tracker may lose all that was logged since its start.
    known["last_step"], known["last_written_step"] = written, tracker.last_written_step
    return sentence


def _ending(content: dict[str, Any]) -> Ending:
    tables = {name: Table(**table) for name, table in content["tables"].items()}
    return Ending(**content | {"tables": tables})
