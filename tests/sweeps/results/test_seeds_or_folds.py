"""Whether the runs of a trial are seeds or folds."""

from pathlib import Path

import pytest

from sweeps.results.run import Run
from sweeps.results.seeds_or_folds import replicate, replicate_of

KFOLD = "split: {name: kfold, num_folds: 3, fold: %d}"
STRATIFIED = "split: {name: stratified}"


@pytest.mark.parametrize(
    ("configs", "word"),
    [
        ([KFOLD % 0, KFOLD % 1, KFOLD % 2], "fold"),
        ([KFOLD % 0, "split: [", KFOLD % 2], "fold"),  # one config cannot be read
        ([KFOLD % 1, KFOLD % 1], "seed"),  # seeds of one fold
        ([STRATIFIED, STRATIFIED], "seed"),
        (["split: kfold", "seed: 1"], "seed"),
    ],
)
def test_runs_of_different_folds_are_folds(configs: list[str], word: str, tmp_path: Path) -> None:
    for k, config in enumerate(configs):
        (tmp_path / f"seed-{k}").mkdir()
        (tmp_path / f"seed-{k}" / "config.yaml").write_text(config)
    assert replicate([Run(tmp_path / f"seed-{k}") for k in range(len(configs))]) == word


def test_the_key_of_the_replicates_says_what_they_are() -> None:
    assert [replicate_of(key) for key in (None, "seed", "split.fold")] == ["seed", "seed", "fold"]
