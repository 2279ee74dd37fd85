"""Which machine this is, which of its processes run, and how many of its cores this one may use."""

import contextlib
import os
import socket
from functools import cache
from pathlib import Path


@cache
def machine() -> str:
    """The id of this machine since its last start; containers with their own process numbers have different ids."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def num_cores() -> int:
    """The cores that this process may use, by its affinity and the container's quota, rounded up."""
    from joblib import cpu_count

    return int(cpu_count())


def is_running(pid: int) -> bool:
    """Whether a process of this machine has not ended."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is another user's
        pass
    return not _is_zombie(pid)


def started(pid: int) -> str:
    """The start time of a process in clock ticks of the kernel; empty for a zombie, which counts as ended."""
    fields = _status(pid)
    return fields[19] if fields and fields[0] != "Z" else ""


def _is_zombie(pid: int) -> bool:
    fields = _status(pid)
    return bool(fields) and fields[0] == "Z"


def _status(pid: int) -> list[str]:
    """The fields that the kernel shows of a process after its name; empty if it shows none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []
