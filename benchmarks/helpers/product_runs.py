"""Run the product for a benchmark: one command per run, several at a time, with the results in a JSON file."""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from spectral.files import write_json

ROOT = Path(__file__).resolve().parents[2]


def add_run_options(parser: argparse.ArgumentParser, num_seeds: int, num_jobs: int | None = 1) -> None:
    """Add --seeds, --jobs and --threads, with their defaults."""
    parser.add_argument("--seeds", type=int, nargs="+", default=range(num_seeds))
    parser.add_argument("--jobs", type=int, default=num_jobs, help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads per run")


@dataclass(frozen=True)
class Run:
    """One command `python run.py OVERRIDES`, or of another program, and the row of a table that it belongs to."""

    group: tuple[str, str]
    seed: int
    overrides: tuple[str, ...]
    program: tuple[str, ...] = ("run.py",)
    settings: tuple[str, ...] = ("tracker=none", "plots=false")  # neither is what is measured

    @property
    def key(self) -> str:
        """The name of the run and its folder, with a digest of the other overrides."""
        digest = hashlib.blake2b(json.dumps(self.overrides).encode(), digest_size=4).hexdigest()
        return re.sub(r"[^\w.]+", "-", "-".join([*self.group, str(self.seed), digest]))


class Results:
    """The results of finished runs. The JSON file is written after each run, so that a stopped benchmark resumes."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.entries: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    @property
    def cache_dir(self) -> Path:
        """Where the surveys are packed."""
        return self.path.parent / "surveys"

    def add(self, key: str, entry: Any) -> None:
        self.entries[key] = entry
        write_json(self.path, self.entries)

    def by_group(self, runs: Sequence[Run]) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """The results of all seeds, one table row per group, in the order of the runs."""
        groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for run in runs:
            groups.setdefault(run.group, []).append(self.entries[run.key])
        return groups


def carry_out(runs: Sequence[Run], results: Results, num_jobs: int, num_threads: int) -> None:
    """Run all runs without a result, `num_jobs` at a time with `num_threads` threads each.

    A run that was stopped resumes in its folder, which is next to the results.
    """
    missing = [run for run in runs if run.key not in results.entries]
    with ThreadPoolExecutor(num_jobs) as executor:
        waiting = {executor.submit(_carry_out, run, results, num_threads): run for run in missing}
        try:
            for number, done in enumerate(as_completed(waiting), start=1):
                result, run = done.result(), waiting[done]
                results.add(run.key, result)
                print(f"[{number}/{len(missing)}] {_summary(run, result)}", flush=True)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def _carry_out(run: Run, results: Results, num_threads: int) -> dict[str, Any]:
    """Run one command and return its result.json. If it fails, raises RuntimeError with the end of its output."""
    run_dir = results.path.parent / run.key
    settings = [f"num_threads={num_threads}", override("cache_dir", results.cache_dir), override("run_dir", run_dir)]
    command = [sys.executable, *run.program, *run.overrides, *run.settings, *settings]
    environment = {**os.environ, "OMP_NUM_THREADS": str(num_threads)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    result: dict[str, Any] = json.loads((run_dir / "result.json").read_text())
    return result


def _summary(run: Run, result: dict[str, Any]) -> str:
    metrics = ("val/loss", "val/macro_f1", "test/accuracy", "test/macro_f1")
    scores = ", ".join(f"{metric} {result[metric]:.4f}" for metric in metrics if metric in result)
    return f"{' '.join(run.group)}, seed {run.seed}: {scores}, trained in {result['time/train_s']:.0f} s"


def override(key: str, path: Path) -> str:
    """`key=path` as Hydra reads it, whatever characters the path has."""
    escaped = str(path.resolve()).replace("\\", "\\\\").replace("'", "\\'")
    return f"{key}='{escaped}'"


def markdown_table(*titles: str) -> Table:
    """Begin a Markdown table with these headings."""
    return Table(*titles, box=box.MARKDOWN)


def spread(values: Sequence[float] | np.ndarray) -> str:
    """Mean, and sample standard deviation if there are several values."""
    mean = f"{np.mean(values):.4f}"
    return f"{mean} ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else mean
