"""`sweep.ensemble=true`: a finished sweep averages its best trials."""

import json
from pathlib import Path

import pytest
from search_runs import REPOSITORY, finish, start
from small_runs import OVERRIDES


@pytest.mark.slow
def test_a_finished_sweep_ends_in_an_ensemble_of_its_best_trials(pack_folder: Path, tmp_path: Path) -> None:
    fixed = [option for option in OVERRIDES if not option.startswith("model.width")]
    options = ("model.width=4,6,8", "sweep.ensemble=true", "sweep.ensemble_top=2", "hydra.launcher.jobs_per_device=1")
    folder = tmp_path / "sweep"
    process = start(folder, "data=packed", f"data.folder={pack_folder}", *fixed, *options, script=REPOSITORY / "run.py")
    output = finish(process)
    assert process.returncode == 0, output
    scores = {number: _result(folder / str(number))["val/macro_f1"] for number in range(3)}
    best = sorted(scores, key=lambda number: -scores[number])[:2]
    made = _result(folder / "ensemble")
    members = {Path(member["run"]).name for member in made["ensemble"]["members"]}
    assert members and members <= {str(number) for number in best}
    assert made["score_test"] and 0 <= made["test/macro_f1"] <= 1
    assert f"run={folder / 'ensemble'}" in output.replace("'", "")  # the command that applies it


def _result(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "result.json").read_text())
    return found
