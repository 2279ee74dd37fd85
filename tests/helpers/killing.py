"""End a process by SIGKILL at a chosen call on a file, as a power failure or the kernel's memory killer would.

`arm` replaces Python's own open, rename, write, fsync, truncate, mkdir and unlink, in this process alone, for files
below one folder. `tests/helpers/kills/sitecustomize.py` arms processes that a test starts.
"""

import builtins
import fnmatch
import io
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

VARIABLE = "KILL_AT"
PART = re.compile(r"^\.(.+?)(?:\.[0-9a-f]{8})?\.\d+\.\d+\.part$")
LOGS = "*.log"

_append = os.write  # as it was before it was replaced
_open = os.open


@dataclass(frozen=True)
class Kill:
    """The moment of a kill.

    Args:
        root: of the files that count.
        events: where each call is noted, a line each: role, call, file.
        nth: the how manyth call that matches, from 1; 0 for none, so that calls are noted only.
        call: open (for writing), write, rename (to this name), fsync, truncate, mkdir or unlink; a pattern.
        file: its path below the root, a pattern; a part file counts as the file that it will be.
        moment: before or after the call; half: after half of the bytes of a write.
        role: `main`, `worker` of a local launcher, or a pattern.
    """

    root: str
    events: str
    nth: int = 0
    call: str = "*"
    file: str = "*"
    moment: str = "before"
    role: str = "*"

    @property
    def _mark(self) -> Path:
        """The file that says that a process was ended."""
        return Path(f"{self.events}.killed")

    def has_ended_one(self) -> bool:
        return self._mark.exists()

    def forget(self) -> None:
        """Remove what was noted."""
        self._mark.unlink(missing_ok=True)
        Path(self.events).unlink(missing_ok=True)

    def variables(self) -> dict[str, str]:
        """Of the environment of a process that is to be killed, its children included: the first to come to it."""
        here = Path(__file__).parent
        return {VARIABLE: json.dumps(asdict(self)), "PYTHONPATH": f"{here / 'kills'}:{here}:{here.parents[1]}"}


@dataclass(frozen=True)
class Event:
    role: str
    call: str
    file: str


def events(kill: Kill) -> list[Event]:
    """The calls that were noted."""
    path = Path(kill.events)
    return [Event(*line.split("\t")) for line in path.read_text().splitlines()] if path.exists() else []


def role() -> str:
    return "worker" if "worker_main" in " ".join(sys.orig_argv) else "main"


class _Watch:
    def __init__(self, kill: Kill) -> None:
        self.kill, self.role, self.num = kill, role(), 0
        self.log = _open(kill.events, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def name(self, path: Any) -> str | None:
        """The path below the root of a path or a descriptor; None for other files."""
        try:
            where = Path(f"/proc/self/fd/{path}").readlink() if isinstance(path, int) else Path(os.fsdecode(path))
        except (OSError, TypeError, ValueError):
            return None
        where = Path.cwd() / where
        if not where.is_relative_to(self.kill.root) or str(where) == self.kill.root:
            return None
        below = where.relative_to(self.kill.root)
        whole = PART.match(below.name)
        return str(below.with_name(whole[1]) if whole else below)

    def is_due(self, call: str, path: Any) -> str:
        """Note a call; the moment at which it is to end the process, or nothing."""
        file = self.name(path)
        if file is None or fnmatch.fnmatch(file, LOGS):
            return ""
        _append(self.log, f"{self.role}\t{call}\t{file}\n".encode())
        wanted = ((call, self.kill.call), (file, self.kill.file), (self.role, self.kill.role))
        if not all(fnmatch.fnmatch(value, pattern) for value, pattern in wanted):
            return ""
        self.num += 1
        return self.kill.moment if self.num == self.kill.nth and self._is_first() else ""

    def _is_first(self) -> bool:
        """Whether no other process has come to the moment, such as the worker before this one."""
        try:
            _open(f"{self.kill.events}.killed", os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        return True


def end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(kill: Kill) -> None:
    """Watch the calls of this process from now on."""
    watch = _Watch(kill)

    def watched(call: str, function: Callable[..., Any], which: int = 0) -> Callable[..., Any]:
        def called(*args: Any, **options: Any) -> Any:
            moment = watch.is_due(call, args[which]) if len(args) > which else ""
            if moment == "before":
                end()
            if moment == "half":
                function(args[0], bytes(args[1])[: len(args[1]) // 2], *args[2:])
                end()
            answer = function(*args, **options)
            if moment == "after":
                end()
            return answer

        return called

    def opened(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        is_written = any(letter in mode for letter in "wax+")
        # A descriptor was opened, and noted, before.
        moment = watch.is_due("open", path) if is_written and not isinstance(path, int) else ""
        if moment == "before":
            end()
        file = plain_open(path, mode, *args, **options)
        if is_written and watch.name(path) is not None:
            file.write = _watched_write(watch, path, file)
        if moment == "after":
            end()
        return file

    def opened_low(path: Any, flags: int, *args: Any, **options: Any) -> int:
        moment = watch.is_due("open", path) if flags & (os.O_WRONLY | os.O_RDWR) else ""
        if moment == "before":
            end()
        descriptor = _open(path, flags, *args, **options)
        if moment == "after":
            end()
        return descriptor

    plain_open = builtins.open
    builtins.open = io.open = opened  # type: ignore[assignment]  # a stand-in that passes all else on
    os.open = opened_low
    for call, names, which in (
        ("rename", ("rename", "replace", "link"), 1),
        ("write", ("write", "pwrite"), 0),
        ("fsync", ("fsync", "fdatasync"), 0),
        ("truncate", ("ftruncate", "truncate"), 0),
        ("mkdir", ("mkdir",), 0),
        ("unlink", ("unlink", "remove", "rmdir"), 0),
    ):
        for name in names:
            setattr(os, name, watched(call, getattr(os, name), which))


def _watched_write(watch: _Watch, path: Any, file: Any) -> Callable[..., Any]:
    write = file.write

    def written(content: Any) -> Any:
        moment = watch.is_due("write", path)
        if moment == "before":
            end()
        if moment == "half":
            write(content[: len(content) // 2])
            file.flush()
            end()
        answer = write(content)
        if moment == "after":
            file.flush()
            end()
        return answer

    return written


def arm_from_environment() -> None:
    """Watch this process if the environment says so."""
    if VARIABLE in os.environ:
        arm(Kill(**json.loads(os.environ[VARIABLE])))
