"""Common parts of the benchmarks of scaling: the machine, exponents, commands of the product, processes' memory."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]


def machine() -> str:
    """Processor, cores and load, as a line to print first."""
    found = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    name = found[0].partition(":")[2].strip() if found else platform.processor()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, load before {os.getloadavg()[0]:.1f}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The b of cost = a * size^b, by least squares in the logarithms; NaN if a cost is not positive."""
    if min(costs) <= 0:  # a difference of two times, of a machine that is busy
        return np.nan
    slope: float = np.polyfit(np.log(sizes), np.log(costs), 1)[0]
    return slope


def last_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent between the last two sizes: a constant cost hides the growth of small ones."""
    return exponent(sizes[-2:], costs[-2:])


def table(*titles: str) -> Iterator[str]:
    """The two first lines of a Markdown table."""
    yield f"| {' | '.join(titles)} |"
    yield "|" + "---|" * len(titles)


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its seconds by the clock, of the processor, and what it printed."""

    wall_s: float
    cpu_s: float
    output: str


def environment(num_threads: int | None = None) -> dict[str, str]:
    """An environment in which modules are compiled only at the first start, as for a user."""
    compiling = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    threads = {} if num_threads is None else {"OMP_NUM_THREADS": str(num_threads)}
    return compiling | {"PYTHONPATH": str(REPOSITORY)} | threads


def python(*arguments: str, code: int = 0) -> Ended:
    """Run Python with some arguments in the repository, to its end.

    Args:
        code: that it is to end with; with any other this process ends too.
    """
    before, start = os.times(), time.perf_counter()
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    wall_s, after = time.perf_counter() - start, os.times()
    if ended.returncode != code:
        sys.exit(f"{' '.join(arguments)} ended with {ended.returncode}: {ended.stdout}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Ended(wall_s, used, ended.stdout)
