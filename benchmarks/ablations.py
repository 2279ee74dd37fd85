"""What each part of a recipe is worth: macro-F1 on another survey, each row next to its control.

    python benchmarks/ablations.py --train TRAIN.npz --score OTHER.npz --rows base redshift --seeds 0 1
    python benchmarks/ablations.py --train TRAIN.npz --score OTHER.npz                      # all rows: a night

Every row is `python run.py` with the default network and the same number of steps, and changes what its control has
in one way (benchmarks/helpers/ablation_rows.py). recipe_pretrained first pretrains for as many steps. Rows of two
stages and recipe_long set their own epochs, which --epochs and --steps do not change; recipe_long has twice as many.
The other survey may have more spectra of the rare classes than a survey has, which makes their F1 less noisy: each
spectrum then counts by --priors, the shares of the classes where the network will be used. If stopped, the same command
resumes. What was measured: docs/lab-notebook.md
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from helpers.ablation_rows import FIXED, ROWS
from helpers.product_runs import ROOT, Results, Run, add_run_options, carry_out, markdown_table, override, spread
from rich.console import Console

from spectral.scoring.metrics import f1_by_class

CLASSES = ("star", "unknown", "galaxy", "qso")


def main() -> None:
    options = _options()
    results = Results(options.out / "results.json")
    all_runs = [run_of(name, seed, options) for seed in options.seeds for name in options.rows]
    carry_out(pretrainings_of(options), results, options.jobs, options.threads)
    carry_out(all_runs, results, options.jobs, options.threads)
    scores: dict[str, list[np.ndarray]] = {}
    for run in all_runs:
        scores.setdefault(run.group[1], []).append(f1_elsewhere(options.out / run.key, options))
    shown = markdown_table(
        "row", "what differs", "macro-F1", "less its control's, by seed", "F1 of " + ", ".join(CLASSES)
    )
    for name, by_seed in scores.items():
        control = ROWS[name].control
        macro, means = np.mean(by_seed, axis=1), np.mean(by_seed, axis=0)
        less = f"{control}: {spread(macro - np.mean(scores[control], axis=1))}" if control in scores else ""
        changes = " ".join((*ROWS[name].changes, *["pretrained first"] * (ROWS[name].pretraining is not None)))
        shown.add_row(name, changes, spread(macro), less, " ".join(f"{value:.3f}" for value in means))
    Console(width=250, highlight=False, markup=False).print(shown)


def run_of(name: str, seed: int, options: argparse.Namespace) -> Run:
    length = f"schedule.stages.0.epochs={options.epochs}", f"schedule.stages.0.steps={options.steps}"
    data = "data=arrays", override("data.path", options.train)
    row, init = ROWS[name], ()
    if row.pretraining is not None:
        init = (override("init", options.out / pretraining_of(name, seed, options).key),)
    return Run(("row", name), seed, (*data, *FIXED, *length, *row.overrides, *init, f"seed={seed}"))


def pretrainings_of(options: argparse.Namespace) -> list[Run]:
    names = [name for name in options.rows if ROWS[name].pretraining is not None]
    return [pretraining_of(name, seed, options) for seed in options.seeds for name in names]


def pretraining_of(name: str, seed: int, options: argparse.Namespace) -> Run:
    """On the training split of the row, for as many steps."""
    length = f"schedule.stages.0.epochs={options.epochs}", f"schedule.stages.0.steps={options.steps}"
    data = "data=arrays", override("data.path", options.train)
    split = [option for option in FIXED if option.startswith(("split", "schedule"))]
    given = (*data, *split, *length, *(ROWS[name].pretraining or ()), f"seed={seed}")
    return Run(("pretraining", name), seed, given, ("-m", "spectral.pretrain"), ("tracker=none",))


def f1_elsewhere(run: Path, options: argparse.Namespace) -> np.ndarray:
    """F1 of each class [K] on the other survey, by the run's decision rule, with each class weighted to its prior."""
    scored = run.with_name(run.name + "-scored")
    if not (scored / "predictions.parquet").exists():
        data = "data=arrays", override("data.path", options.score), override("cache_dir", options.out / "surveys")
        given = f"num_threads={options.threads}", override("run", run), override("out", scored)
        subprocess.run(
            [sys.executable, "-m", "spectral.evaluate", *data, *given], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
    rows = pd.read_parquet(scored / "predictions.parquet", columns=["label", "predicted"])
    labels, predicted = (pd.Categorical(rows[key], CLASSES).codes.astype(np.int64) for key in rows)
    shares = np.bincount(labels, minlength=len(CLASSES)) / len(labels)
    weights = (np.array(options.priors) / shares)[labels]
    return f1_by_class(labels, predicted, len(CLASSES), weights)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="an NPZ: flux, wave, type")
    parser.add_argument("--score", type=Path, required=True, help="an NPZ of another survey of the same kind")
    parser.add_argument("--priors", type=float, nargs=4, default=(0.907, 0.071, 0.017, 0.005), metavar=CLASSES)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    add_run_options(parser, num_seeds=2, num_jobs=2)
    parser.add_argument("--epochs", type=int, default=19)
    parser.add_argument("--steps", type=int, default=100, help="steps of an epoch, of 160 spectra")
    parser.add_argument("--out", type=Path, default=Path("outputs/ablations"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
