"""The controllers of a study: each marks the trials that it runs, and writes heartbeats to show that it is alive."""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sweeps.study.attributes import SIGNATURE
from sweeps.study.known_fields import known_fields

BEAT_S = 10.0


@dataclass(frozen=True)
class Controller:
    """A process that runs trials.

    Args:
        machine: id of the machine, see spectral/processes.py.
        started: start time of the process, to distinguish it from a later process with the same number; empty if the
            system does not say.
        beat: time of its last heartbeat, in seconds since 1970 by its own clock.
        file: of the storage that it writes to, its whole path; empty if that is a server, or of an earlier version.
    """

    machine: str
    pid: int
    started: str
    beat: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    file: str = ""

    @classmethod
    def this(cls, file: Path | None = None) -> "Controller":
        """This process.

        Args:
            file: of the storage of its study; None for a server.
        """
        where = str(file.absolute()) if file else ""
        return cls(_machine(), os.getpid(), _started(os.getpid()), time.time(), file=where)

    def attribute(self) -> tuple[str, dict[str, Any]]:
        """Name and value of the study's attribute for this controller, with a heartbeat of now."""
        return f"{SIGNATURE}{self.id}", {**asdict(self), "beat": time.time()}

    @property
    def is_here(self) -> bool:
        """Whether the controller is on this machine."""
        return self.machine == _machine()

    def runs(self) -> bool:
        """Whether the process of a controller on this machine still runs."""
        from spectral.processes import is_running

        return is_running(self.pid) and _started(self.pid) == self.started

    def writes_elsewhere(self, file: Path | None) -> bool:
        """Whether it writes to another file than this one: one of the two is a copy of the other."""
        try:
            return file is not None and bool(self.file) and not Path(self.file).samefile(file)
        except OSError:  # the folder was renamed since, or the file is on a disk that is not here
            return False

    def is_of_a_copy(self, file: Path | None) -> bool:
        """Whether it is seen to write to another file. Of another machine's paths that is not certain enough."""
        return self.is_here and self.writes_elsewhere(file)


class Watch:
    """Finds out which controllers of a study are alive: on this machine by their process, on others by heartbeats.

    The clocks of two machines differ, so this measures with its own clock how long a heartbeat has not changed. Between
    two looks at most BEAT_S is counted: while the storage is unavailable, no controller can write a heartbeat.

    Args:
        clock: seconds of a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._looked_at, self._lock = clock, clock(), threading.Lock()
        self._seen: dict[
            str, tuple[float, float]
        ] = {}  # by controller: its last heartbeat, and seconds without a new one

    def look(self, attributes: Mapping[str, Any]) -> None:
        """Read the heartbeats in a study's attributes. May be called from any thread."""
        with self._lock:
            now = self._clock()
            passed_s, self._looked_at = min(now - self._looked_at, BEAT_S), now
            for other in _signed(attributes):
                beat, quiet_s = self._seen.get(other.id, (None, 0.0))
                self._seen[other.id] = other.beat, quiet_s + passed_s if beat == other.beat else 0.0

    def is_alive(self, attributes: Mapping[str, Any], owner: str, lost_after_s: float) -> bool:
        """Whether the controller with the id `owner` is alive; for another machine, as of the last look."""
        controller = signer(attributes, owner)
        if controller is None:
            return False
        return controller.runs() if controller.is_here else self._seen[owner][1] < lost_after_s


def any_alive(attributes: Mapping[str, Any], lost_after_s: float, file: Path | None = None) -> bool:
    """Whether a controller of a study seems alive, from a single look. Compares the clocks of different machines.

    Args:
        file: of the storage of the study; None for a server.
    """
    now, own = time.time(), [c for c in _signed(attributes) if not c.is_of_a_copy(file)]
    return any(c.runs() if c.is_here else now - c.beat < lost_after_s for c in own)


def signer(attributes: Mapping[str, Any], owner: str) -> Controller | None:
    """The controller with the id `owner`, as of its last heartbeat; None if it has written none."""
    signature = attributes.get(f"{SIGNATURE}{owner}")
    return None if signature is None else _read(signature)


def _signed(attributes: Mapping[str, Any]) -> list[Controller]:
    return [_read(signature) for name, signature in attributes.items() if name.startswith(SIGNATURE)]


def _read(stored: Mapping[str, Any]) -> Controller:
    return Controller(**known_fields(Controller, stored))


class Heartbeat:
    """Calls `beat` every `BEAT_S` seconds, from a thread of its own, until stopped."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat, self._stopped = beat, threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(BEAT_S):
            # The main thread reports a storage that is unavailable.
            with contextlib.suppress(Exception):
                self._beat()

    def stop(self) -> None:
        self._stopped.set()


def _machine() -> str:
    from spectral.processes import machine

    return machine()


def _started(pid: int) -> str:
    from spectral.processes import started

    return started(pid)
