"""Run the rows of the results page: macro-F1 of every method on one survey, and its difference to the reference.

    python benchmarks/results.py --scale quick                                   # to see that it works
    python benchmarks/results.py --scale small                                   # the simulated survey
    python benchmarks/results.py --scale full --train TRAIN.npz --test TEST.npz  # hours
    python benchmarks/results.py --scale small --rows reference default pca_boosting --seeds 0 1
    python benchmarks/results.py --scale small --rows best minirocket --control minirocket

Every row is trained on the same spectra with the same validation part, and is scored once on the same test part. The
table has mean and standard deviation over the seeds, the bootstrap interval of the mean, and the paired difference to
the reference, or to another row (--control), also if one of the two has the spectra on other pixels. If stopped, the
same command resumes. Three of the baselines need aeon (docs/baselines.md). How it is measured:
docs/benchmark-protocol.md
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from helpers.product_runs import ROOT, Results, Run, add_run_options, carry_out, markdown_table, override, spread
from helpers.results_rows import ROWS, SCALES, Row, overrides_of, program_of
from rich.console import Console
from rich.table import Table

from sweeps.results.paired_difference import mean_interval, paired_differences
from sweeps.results.run import Run as FinishedRun

ENSEMBLE, MEMBERS = "ensemble", "best"


def main() -> None:
    options = _options()
    results = Results(options.out / "results.json")
    chosen = [ROWS[name] for name in options.rows if name != ENSEMBLE]
    runs = [run_of(row, seed, options) for seed in options.seeds for row in chosen if seed == 0 or not row.is_fixed]
    carry_out(runs, results, options.jobs, options.threads)
    folders: dict[str, list[Path]] = {}
    for run in runs:
        folders.setdefault(run.group[1], []).append(options.out / run.key)
    if ENSEMBLE in options.rows and MEMBERS in folders:
        folders[ENSEMBLE] = [make_ensemble(folders[MEMBERS], options.out / ENSEMBLE)]
    rows = {name: finished(paths) for name, paths in folders.items()}
    Console(width=200, highlight=False).print(table(rows, options.control, options.threads))


def run_of(row: Row, seed: int, options: argparse.Namespace) -> Run:
    data: Sequence[str] = SCALES[options.scale].simulated
    if options.train:
        files = [override("data.path", options.train), override("data.test_path", options.test)]
        data = ["data=arrays", *files, "split=given", "split.validation=0.2"]
    return Run((row.kind, row.name), seed, (*data, *overrides_of(row, options.scale), f"seed={seed}"), program_of(row))


def make_ensemble(members: Sequence[Path], out: Path) -> Path:
    """The average of the seeds of the best network, with equal weights; one of other runs is made again."""
    runs = [str(path.resolve()) for path in members]
    if FinishedRun(out).result.get("ensemble", {}).get("runs") != runs:
        command = [sys.executable, "-m", "sweeps.ensemble", *runs, "--select", "all", "--out", str(out.resolve())]
        subprocess.run(command, cwd=ROOT, check=True)
    return out


def finished(folders: Sequence[Path]) -> list[FinishedRun]:
    return [FinishedRun(folder.resolve()) for folder in folders]


def table(rows: Mapping[str, Sequence[FinishedRun]], control: str, num_threads: int) -> Table:
    """A row for each method; differences are those of the test part, to the row `control`."""
    titles = ("row", "seeds", "validation", "test", "95 % interval", f"less that of {control}", "core-minutes")
    shown = markdown_table(*titles)
    for name, runs in rows.items():
        by_split = [np.array([score_of(run, key) for run in runs]) for key in ("val", "test")]
        low, high = mean_interval(runs, "test") or (np.nan, np.nan)
        minutes = np.mean([run.result["time/train_s"] / 60 * num_threads for run in runs])
        less = _less(runs, rows.get(control, ())) if name != control else ""
        interval = f"{low:.4f} to {high:.4f}"
        shown.add_row(name, str(len(runs)), *map(spread, by_split), interval, less, f"{minutes:.1f}")
    return shown


def score_of(run: FinishedRun, key: str) -> float:
    """Macro-F1 of a split: by the run's decision rule, if it has another than argmax."""
    return float(run.result.get(f"{key}/decision/macro_f1", run.result[f"{key}/macro_f1"]))


def _less(mine: Sequence[FinishedRun], control: Sequence[FinishedRun]) -> str:
    found, _ = paired_differences(mine, control, same_survey=False)  # all rows are made of the same files
    if "test" not in found:
        return ""
    test = found["test"]
    return f"{test.value:+.4f} ({test.low:+.4f} to {test.high:+.4f})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=list(SCALES), default="small", help="how long networks are trained")
    parser.add_argument("--train", type=Path, help="an NPZ to train on; without it the simulated survey")
    parser.add_argument("--test", type=Path, help="an NPZ to score on, read once per row")
    parser.add_argument("--rows", nargs="+", choices=[*ROWS, ENSEMBLE], default=[*ROWS, ENSEMBLE], metavar="ROW")
    parser.add_argument("--control", default="reference", metavar="ROW", help="whose score is taken from the others'")
    add_run_options(parser, num_seeds=3, num_jobs=2)
    parser.add_argument("--out", type=Path, default=Path("outputs/results"))
    options = parser.parse_args()
    if ENSEMBLE in options.rows and len(options.seeds) < 2:
        options.rows = [name for name in options.rows if name != ENSEMBLE]  # of one network there is no average
    if options.control not in (*ROWS, ENSEMBLE):
        parser.error(f"--control {options.control} is no row: {', '.join((*ROWS, ENSEMBLE))}")
    if (options.train is None) != (options.test is None):
        parser.error("--train and --test belong together")
    return options


if __name__ == "__main__":
    main()
