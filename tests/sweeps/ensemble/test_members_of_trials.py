"""The run folders of a trial as members: all of its seeds or folds, or none."""

from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from spectral.errors import UserError
from sweeps.ensemble.members import folders_of_trials


def trial(folder: Path, state: TrialState = TrialState.COMPLETE, **attributes: Any) -> FrozenTrial:
    value = 0.5 if state == TrialState.COMPLETE else None
    return create_trial(state=state, value=value, user_attrs={"run_dir": str(folder / "4"), **attributes})


@pytest.mark.parametrize(
    ("there", "gone"),
    [(["seed-0", "seed-2"], " seed-1"), (["seed-1", "seed-2"], " seed-0"), ([""], " seed-0"), ([], "")],
)
def test_the_first_seed_whose_folder_is_gone_is_named(there: list[str], gone: str, tmp_path: Path) -> None:
    for name in there:
        (tmp_path / "4" / name).mkdir(parents=True)
    with pytest.raises(UserError, match=f"study mine cannot be a member: its run folder{gone} is gone"):
        folders_of_trials("mine", [trial(tmp_path, seeds=[7, 8, 9])], tmp_path)


def test_a_trial_has_the_folders_of_the_seeds_that_it_was_run_with(tmp_path: Path) -> None:
    folders = [tmp_path / "4" / f"seed-{k}" for k in range(2)]
    for path in folders:
        path.mkdir(parents=True)
    assert folders_of_trials("mine", [trial(tmp_path, seeds=[7, 8])], tmp_path) == folders
    assert folders_of_trials("mine", [trial(tmp_path)], tmp_path) == folders  # an earlier version kept no seeds
    pruned = trial(tmp_path, TrialState.PRUNED, seeds=[7, 8, 9])  # before its last seed began
    assert folders_of_trials("mine", [pruned], tmp_path) == folders
