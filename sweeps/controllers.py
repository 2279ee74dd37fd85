"""Who runs a study's trials: each controller signs what it runs and gives signs of life, so that others can tell."""

import contextlib
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

BEAT_S = 10.0
SIGNATURE = "controller:"


@dataclass(frozen=True)
class Controller:
    """A process that runs trials.

    Args:
        machine: differs between machines, and between containers whose process numbers mean different processes.
        started: tells this process from a later one of the same number; empty where the system does not say.
        beat: when it last gave a sign of life, in seconds since 1970.
    """

    machine: str
    pid: int
    started: str
    beat: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @classmethod
    def this(cls) -> "Controller":
        return cls(_machine(), os.getpid(), _started(os.getpid()), time.time())

    def attribute(self) -> tuple[str, dict[str, Any]]:
        """Name and value of the study's attribute that tells of this controller, as of now."""
        return f"{SIGNATURE}{self.id}", {**asdict(self), "beat": time.time()}

    def is_alive(self, lost_after_s: float) -> bool:
        """On this machine: whether its process is there; elsewhere: whether it gave a sign of life lately."""
        if self.machine != _machine():
            return time.time() - self.beat < lost_after_s
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return _started(self.pid) == self.started


def is_alive(attributes: dict[str, Any], owner: str, lost_after_s: float) -> bool:
    """Whether the controller that signed as `owner` is alive, by the attributes of the study."""
    known = attributes.get(f"{SIGNATURE}{owner}")
    return known is not None and Controller(**known).is_alive(lost_after_s)


def any_alive(attributes: dict[str, Any], lost_after_s: float) -> bool:
    """Whether some controller of a study is alive, by the attributes of the study."""
    signed = [name.removeprefix(SIGNATURE) for name in attributes if name.startswith(SIGNATURE)]
    return any(is_alive(attributes, owner, lost_after_s) for owner in signed)


class Heartbeat:
    """Calls `beat` every `BEAT_S` seconds, from a thread of its own, until stopped."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat, self._stopped = beat, threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(BEAT_S):
            # A storage that is gone is the main thread's to report.
            with contextlib.suppress(Exception):
                self._beat()

    def stop(self) -> None:
        self._stopped.set()


@cache
def _machine() -> str:
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _started(pid: int) -> str:
    """The process's start, in the kernel's ticks; a zombie counts as gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
