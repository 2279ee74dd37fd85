"""Three runs of a moment, of other networks, inputs and class priors, and their ensemble."""

from pathlib import Path

import pytest
from small_runs import OVERRIDES, run

from spectral.ensembling.make import EnsembleOptions, make_ensemble

DECISION = "decision=macro_f1"
EPOCHS = ("schedule.stages.0.epochs=1", "schedule.stages.0.steps=12")
OTHER = [option for option in OVERRIDES if not option.startswith("model.")]
FCN = ("model=fcn", "model.widths=[4,4,4]", "transform=robust_z", "inputs.channels=[flux,mask]", "sampler=balanced")


@pytest.fixture(scope="package")
def members(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Run folders: a reference network, an FCN of other inputs at other class priors, and another seed of the first."""
    parent = tmp_path_factory.mktemp("members")
    of_each = {"a": OVERRIDES, "b": (*OTHER, *FCN), "c": (*OVERRIDES, "seed=4")}
    for name, overrides in of_each.items():
        run(["data=packed", f"data.folder={pack_folder}", f"run_dir={parent / name}", *overrides, DECISION, *EPOCHS])
    return [parent / name for name in of_each]


@pytest.fixture(scope="package")
def ensemble(members: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three, with the same weight each."""
    folder = tmp_path_factory.mktemp("ensemble") / "all"
    make_ensemble(members, folder, EnsembleOptions(select="all"))
    return folder
