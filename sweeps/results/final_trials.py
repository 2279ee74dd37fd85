"""The trials of a study that are run once more at its end."""

from optuna.study import Study
from optuna.trial import FrozenTrial

from sweeps.results.ranking import ranked, reference_of
from sweeps.study.attributes import FINAL


def final_trials(study: Study) -> list[FrozenTrial]:
    """The best trial, and the reference trial to compare it with, if that ended well."""
    trials = study.get_trials(deepcopy=False)
    found = [*ranked(trials, study.directions)[:1], reference_of(trials, study.user_attrs)]
    return list({trial.number: trial for trial in found if trial}.values())


def lacks_final(study: Study) -> bool:
    """Whether some final trial has not been run to its end yet."""
    return any(study.user_attrs.get(f"{FINAL}{trial.number}") != "done" for trial in final_trials(study))
