"""The part file of a process that was killed while it wrote."""

from pathlib import Path

from spectral.files import part_name

ENDED = 2**22 + 1  # larger than the number of any process


def leave_part(path: Path) -> Path:
    """Make the part file of `path` as an ended process of this machine would have left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head, _alive, thread, end = part_name(path).rsplit(".", 3)
    part = path.with_name(f"{head}.{ENDED}.{thread}.{end}")
    part.touch()
    return part
