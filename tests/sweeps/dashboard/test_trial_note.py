"""The note on a trial, as Markdown."""

from optuna.trial import TrialState, create_trial

from sweeps.dashboard.trial_note import trial_note
from sweeps.study.attributes import OVERRIDES


def test_the_command_of_an_earlier_version_has_the_names_of_this_one() -> None:
    overrides = ["loss=soft_f1", "loss.form=log_mean"]
    trial = create_trial(state=TrialState.COMPLETE, value=0.5, user_attrs={OVERRIDES: overrides})
    assert "  loss=soft_f1 \\\n  loss.form=log_of_mean\n" in trial_note(trial, [], None)
