"""The note on a trial, as Markdown."""

import json
from pathlib import Path

from optuna.trial import TrialState, create_trial

from sweeps.dashboard.trial_note import trial_note
from sweeps.study.attributes import OVERRIDES, SEEDS


def test_the_command_of_an_earlier_version_has_the_names_of_this_one() -> None:
    overrides = ["loss=soft_f1", "loss.form=log_mean"]
    trial = create_trial(state=TrialState.COMPLETE, value=0.5, user_attrs={OVERRIDES: overrides})
    assert "  loss=soft_f1 \\\n  loss.form=log_of_mean\n" in trial_note(trial, [], None)


def test_the_command_gives_the_score_of_the_first_run(tmp_path: Path) -> None:
    """As in the report: its seed or fold, and the threads that it had."""
    (tmp_path / "result.json").write_text(json.dumps({"runtime": {"device": "cpu", "num_threads": 2}}))
    attributes = {OVERRIDES: ["split.fold=0", "x=1"], SEEDS: [3, 4]}
    note = trial_note(
        create_trial(state=TrialState.COMPLETE, value=0.5, user_attrs=attributes), [tmp_path], None, "split.fold"
    )
    assert "```\npython run.py \\\n  x=1 \\\n  split.fold=3 \\\n  num_threads=2\n```" in note
    assert "It runs fold 3; the trial was scored with split.fold=3,4." in note
