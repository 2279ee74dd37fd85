"""The memory that jobs may use: what the machine has left, within the limits of this process's control groups.

Pages of files count as available, since the kernel gives them back when memory is needed. The memory map of a survey
fills many.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

OWN_GROUPS = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")


class Names(NamedTuple):
    """How a version of Linux's control groups names its files, and the pages of files in memory.stat."""

    limit: str
    used: str
    of_files: tuple[str, ...]


V1 = Names("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file"))
V2 = Names("memory.max", "memory.current", ("active_file", "inactive_file"))


def available_bytes(own_groups: Path = OWN_GROUPS, mount: Path = MOUNT) -> int:
    """The memory that this process and its children may still take.

    Args:
        own_groups: the file that names the control groups of this process.
        mount: where the files of all groups are.
    """
    of_machine: int = psutil.virtual_memory().available
    left = [_left(folder, names) for folder, names in _groups(own_groups, mount)]
    return max(0, min([of_machine, *(room for room in left if room is not None)]))


def _groups(own_groups: Path, mount: Path) -> Iterator[tuple[Path, Names]]:
    """The folders of this process's groups and of those around them, each with a limit of its own perhaps.

    In a container the path may be that of the host: then only the outermost folder is there, which is the container's.
    """
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        names = V1 if "memory" in controllers.split(",") else V2 if not controllers else None
        if names is not None:
            root = mount / "memory" if names is V1 else mount
            inner = root / path.strip("/")
            yield from ((folder, names) for folder in (inner, *inner.parents) if folder.is_relative_to(root))


def _left(folder: Path, names: Names) -> int | None:
    """How much of a group's limit is left; None if it has no limit."""
    try:
        limit, used = (int((folder / name).read_text()) for name in (names.limit, names.used))
        entries = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such file, or "max"
        return None
    return limit - used + sum(int(entries.get(name, 0)) for name in names.of_files)
