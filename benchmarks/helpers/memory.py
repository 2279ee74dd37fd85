"""The memory of a command with all its processes. Linux: read from /proc, as the proportional set size."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

MIB = 2**20
SAMPLING_S = 0.02


def peak_of(command: Sequence[str], sampling_s: float = SAMPLING_S, log: Path | None = None) -> int:
    """Run a command; returns the peak of the memory of all its processes together, in bytes.

    Args:
        log: file for what it prints; None: thrown away.
    """
    with Path("/dev/null" if log is None else log).open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(map(resident_bytes, [process.pid, *descendants(process.pid)])))
            time.sleep(sampling_s)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return peak


def descendants(pid: int) -> list[int]:
    try:
        children = [
            int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended meanwhile
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def resident_bytes(pid: int) -> int:
    """A page that processes share counts once."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
