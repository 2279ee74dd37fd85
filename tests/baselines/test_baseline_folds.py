"""The folds of split=kfold in a multirun of baselines, which are no replicates there."""

from pathlib import Path

import pytest
from commands import command
from small_runs import REPOSITORY


@pytest.mark.parametrize(
    ("given", "num_runs", "is_warned"),
    [([], 1, True), (["split.fold=0,1"], 2, False), pytest.param(["split.fold=1"], 1, False, marks=pytest.mark.slow)],
)
def test_a_multirun_of_one_fold_says_how_all_are_run(
    pack_folder: Path, tmp_path: Path, given: list[str], num_runs: int, is_warned: bool
) -> None:
    data = ["data=packed", f"data.folder={pack_folder}", "split=kfold", "split.num_folds=2", *given]
    quick = [
        "method=pls_da",
        "method.num_components=2",
        "tracker=none",
        "plots=false",
        "num_threads=1",
        "hydra/launcher=basic",
    ]
    script = REPOSITORY / "spectral" / "baseline.py"
    ended = command(script, "-m", *data, *quick, f"run_dir={tmp_path / 'all'}", cwd=tmp_path, joined=True)
    assert ended.returncode == 0, ended.stdout
    assert len(list(tmp_path.glob("all/*/result.json"))) == num_runs
    sentence = "split=kfold runs fold 0 alone here: split.fold=0,1 runs each of them."
    assert (sentence in ended.stdout) == is_warned
