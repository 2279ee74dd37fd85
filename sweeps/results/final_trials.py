"""Which trials of a study are run once more at its end."""

from optuna.study import Study
from optuna.trial import FrozenTrial

from sweeps.results.ranking import ranked, reference_of
from sweeps.study.attributes import FINAL


def final_trials(study: Study) -> list[FrozenTrial]:
    """The best trial, and the reference to compare it with, where it ended well."""
    trials = study.get_trials(deepcopy=False)
    found = [*ranked(trials, study.directions)[:1], reference_of(trials, study.user_attrs)]
    return list({trial.number: trial for trial in found if trial}.values())


def lacks_final(study: Study) -> bool:
    """Whether a final trial was not yet run to its end."""
    return any(study.user_attrs.get(f"{FINAL}{trial.number}") != "done" for trial in final_trials(study))
