"""Which inputs help: validation macro-F1 on the simulated survey by what the network is given.

    python benchmarks/inputs.py

Each row changes one thing of the default: a channel is added to the flux, or the flux is scaled in another way. All
rows have the same steps, network and seeds; the last column is the difference to the default with the same seed. If
stopped, the same command resumes. What was measured: docs/lab-notebook.md
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from helpers.product_runs import Results, Run, add_run_options, carry_out, markdown_table, spread
from rich.console import Console
from rich.table import Table

METRIC = "val/macro_f1"
DEFAULT = ("default", "flux, standardize")
SAVGOL = "{name: savgol, window_pixels: 11, order: 2, derivative: %d}"
ADDED = {
    "mask": "mask",
    "snr": "snr",
    "log_ivar": "log_ivar",
    "savgol, slope": SAVGOL % 1,
    "continuum": "continuum",
}
TRANSFORMS = ("median", "robust_z", "snv", "l2", "continuum")
FIXED = (
    "data.num_workers=1",
    "split.validation=0.25",
    "split.test=0",
    "device=cpu",
    "precision=float32",
    "schedule.batch_size=32",
    "model.max_length=500",
    "optimizer.lr=5e-3",
    "lr_schedule.warmup_fraction=0.05",
    "schedule.keep=best",
)


def main() -> None:
    options = _options()
    all_runs, results = runs(options.seeds, options.epochs, options.steps), Results(options.out)
    carry_out(all_runs, results, options.jobs, options.threads)
    Console(width=200, highlight=False).print(table(all_runs, results))


def runs(seeds: Sequence[int], epochs: int, steps: int) -> list[Run]:
    """One run per row and seed."""
    rows: dict[tuple[str, str], tuple[str, ...]] = {DEFAULT: ()}
    rows |= {("channel", name): (f"inputs.channels=[flux,{channel}]",) for name, channel in ADDED.items()}
    rows |= {("transform", name): (f"transform={name}",) for name in TRANSFORMS}
    rows[("transform", "continuum, clipped")] = ("transform=continuum", "transform.clip=10")
    fixed = (*FIXED, f"schedule.stages.0.epochs={epochs}", f"schedule.stages.0.steps={steps}")
    return [
        Run(group, seed, (*fixed, *overrides, f"seed={seed}"))
        for seed in seeds  # so that a stopped benchmark has whole seeds
        for group, overrides in rows.items()
    ]


def table(all_runs: Sequence[Run], results: Results) -> Table:
    """Mean and standard deviation over the seeds, and of the difference to the default."""
    found = {group: np.array([r[METRIC] for r in each]) for group, each in results.by_group(all_runs).items()}
    shown = markdown_table("what differs", "", METRIC, "less the default's, by seed")
    for group, scores in found.items():
        shown.add_row(*group, spread(scores), "" if group == DEFAULT else spread(scores - found[DEFAULT]))
    return shown


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_run_options(parser, num_seeds=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--steps", type=int, default=100, help="steps of an epoch")
    parser.add_argument("--out", type=Path, default=Path("outputs/inputs/results.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
