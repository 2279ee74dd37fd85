"""Does soft macro-F1 train a network from random weights? Validation macro-F1 by loss, sampling and scale of the flux.

    python benchmarks/soft_f1.py                       # 35 minutes of one core; simulated survey
    python benchmarks/soft_f1.py --figure curves.png   # and the curves
    python benchmarks/soft_f1.py --epochs 2 --steps 5 --num-spectra 1000 --seeds 0   # to see that it works

The 2018 system was said not to converge with -log(mean F1) as its only loss. Each run here is the experiment
`soft_f1_from_scratch` with a small network and few steps; cross-entropy is the control. Sampling: batches as the
survey is (about half of them hold no quasar), or with the fractions of 2018. Scale: flux / 100 as in 2018, or
standardized. If stopped, the same command resumes. What was measured: docs/soft-f1.md
"""

import argparse
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import matplotlib
import numpy as np
from helpers.product_runs import Results, Run, add_run_options, carry_out, markdown_table, spread
from matplotlib import pyplot as plt
from rich.console import Console

LOSSES = {
    "cross-entropy": ("loss=cross_entropy",),
    "-log(mean F1)": ("loss.form=log_of_mean",),
    "mean(-log F1)": ("loss.form=mean_of_logs",),
    "mean(-log F1), by prior": ("loss.form=mean_of_logs", "loss.prior_weighted=true"),
}
SAMPLING = {"natural": ("sampler.fractions=null",), "fractions of 2018": ()}
SCALES = {"flux / 100": ("transform=scale",), "standardized": ("transform=standardize",)}
FIXED = (
    "experiment=soft_f1_from_scratch",
    "model=compact",
    "data=simulated",
    "data.priors=[0.907,0.071,0.017,0.005]",
    "split=stratified",
    "split.validation=0.25",
    "split.test=0",
    "score_test=false",
    "device=cpu",
)


def main() -> None:
    options = _options()
    results = Results(options.out)
    all_runs = list(runs(options))
    carry_out(all_runs, results, options.jobs, options.threads)
    curves = {
        group: np.array([_curve(options.out.parent / run.key) for run in all_runs if run.group == group])
        for group in dict.fromkeys(run.group for run in all_runs)
    }
    shown = markdown_table("scale and sampling", "loss", "best val/macro_f1", "of the last epoch")
    for (place, loss), scores in curves.items():
        shown.add_row(place, loss, spread(scores.max(axis=1)), spread(scores[:, -1]))
    Console(width=200, highlight=False).print(shown)
    if options.figure:
        draw(curves, options.steps, options.figure)


def runs(options: argparse.Namespace) -> Iterator[Run]:
    """One run for each loss, sampling, scale and seed; whole seeds first."""
    length = f"schedule.stages.0.epochs={options.epochs}", f"schedule.stages.0.steps={options.steps}"
    for seed, scale, sampling, loss in product(options.seeds, SCALES, SAMPLING, LOSSES):
        changes = *LOSSES[loss], *SAMPLING[sampling], *SCALES[scale]
        overrides = *FIXED, f"data.num_spectra={options.num_spectra}", *length, *changes, f"seed={seed}"
        yield Run((f"{scale}, {sampling}", loss), seed, overrides)


def _curve(folder: Path) -> list[float]:
    """Validation macro-F1 of each epoch."""
    return [json.loads(line)["val/macro_f1"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def draw(curves: dict[tuple[str, str], np.ndarray], num_steps: int, path: Path) -> None:
    """A panel for each scale and sampling, a line for each loss: the mean over seeds, and their range."""
    matplotlib.use("Agg")
    places = list(dict.fromkeys(place for place, _ in curves))
    figure, axes = plt.subplots(1, len(places), figsize=(3.2 * len(places), 3.2), sharey=True, layout="constrained")
    for axis, place in zip(axes, places, strict=True):
        for loss in LOSSES:
            scores = curves[place, loss]
            steps = num_steps * np.arange(1, scores.shape[1] + 1)
            (line,) = axis.plot(steps, scores.mean(axis=0), label=loss)
            axis.fill_between(steps, scores.min(axis=0), scores.max(axis=0), color=line.get_color(), alpha=0.2, lw=0)
        axis.set(title=place, xlabel="steps of 160 spectra", ylim=(0, 1))
    axes[0].set_ylabel("validation macro-F1")
    axes[0].legend(fontsize="small")
    figure.savefig(path, dpi=110)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_run_options(parser, num_seeds=2)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--steps", type=int, default=40, help="steps of an epoch")
    parser.add_argument("--num-spectra", type=int, default=8000, help="of the simulated survey")
    parser.add_argument("--figure", type=Path, help="where to draw the curves")
    parser.add_argument("--out", type=Path, default=Path("outputs/soft-f1/results.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
