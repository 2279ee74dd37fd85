"""The UCR part of real_input.py: train and test on the published split, and compare with published scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.table import Table

from helpers.product_runs import Results, Run, markdown_table, override, spread

DATASETS = ("Strawberry", "ECG5000", "OSULeaf", "ArrowHead", "Coffee", "Ham", "ProximalPhalanxTW")
DEFAULT = "default"  # the default experiment, with the options that a set without a validation part needs
MODELS = ("resnet1d", "reference", DEFAULT)


def runs(
    folder: Path, datasets: Sequence[str], models: Sequence[str], seeds: Sequence[int], epochs: int | None
) -> list[Run]:
    """All runs, the first seed of every set first, so that a stopped benchmark has a result for every set."""
    return [_run(folder, name, model, seed, epochs) for seed in seeds for name in datasets for model in models]


def _run(folder: Path, name: str, model: str, seed: int, epochs: int | None) -> Run:
    train, test = (folder / name / f"{name}_{part}.tsv" for part in ("TRAIN", "TEST"))
    recipe = ["experiment=ucr", f"model={model}"]
    if model == DEFAULT:
        recipe = ["data=arrays", "split=given", "split.validation=0", "objective=train/loss"]
    overrides = [*recipe, override("data.path", train), override("data.test_path", test)]
    if epochs:
        overrides.append(f"schedule.stages.0.epochs={epochs}")
    return Run((name, model), seed, (*overrides, f"seed={seed}"))


def table(runs: Sequence[Run], results: Results, published: Path) -> Table:
    """One row per set and network."""
    titles = ("set (training / test, length, classes)", "network", "accuracy", "macro-F1")
    peers_titles = ("published ResNet", "published FCN", "published InceptionTime", "accuracy less ResNet's")
    lines = markdown_table(*titles, *peers_titles)
    peers = pd.read_csv(published, index_col="dataset").to_dict("index")
    for (name, model), done in results.by_group(runs).items():
        accuracy = np.array([result["test/accuracy"] for result in done])
        scores = [spread(accuracy), spread([result["test/macro_f1"] for result in done])]
        lines.add_row(f"{name} ({_shape(done[0])})", model, *scores, *_published(accuracy, peers[name]))
    return lines


def _shape(result: dict[str, Any]) -> str:
    survey = result["survey"]
    sizes = f"{result['train/num_spectra']} / {result['test/num_spectra']}"
    return f"{sizes}, {survey['length']}, {len(survey['class_names'])}"


def _published(accuracy: NDArray[np.float64], peer: Mapping[Any, float]) -> list[str]:
    return [
        f"{peer['ResNet_mean']:.4f} ± {peer['ResNet_sd']:.4f}",
        f"{peer['FCN_mean']:.4f} ± {peer['FCN_sd']:.4f}",
        f"{peer['InceptionTime']:.4f}",
        f"{100 * (accuracy.mean() - peer['ResNet_mean']):+.1f} points",
    ]
