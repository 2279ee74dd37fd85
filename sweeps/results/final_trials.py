"""The trials of a study that are run once more at its end."""

from collections.abc import Mapping
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial

from sweeps.results.ranking import ranked, reference_of
from sweeps.study.attributes import FINAL, REUSED_FROM


def final_trials(study: Study) -> list[FrozenTrial]:
    """The best trial, and the reference trial to compare it with, if that ended well."""
    trials = study.get_trials(deepcopy=False)
    found = [*ranked(trials, study.directions)[:1], reference_of(trials, study.user_attrs)]
    return list({trial.number: trial for trial in found if trial}.values())


def without_final(study: Study) -> list[FrozenTrial]:
    """The final trials that have not been run to their end yet.

    An earlier version noted the end of a reference that reuses a trial's result by its own number, not by that trial's.
    """
    ended, trials = ended_finals(study.user_attrs), study.get_trials(deepcopy=False)
    reused = {trial.user_attrs.get(REUSED_FROM) for trial in trials if trial.number in ended}
    return [trial for trial in final_trials(study) if trial.number not in ended | reused]


def ended_finals(attributes: Mapping[str, Any]) -> set[int]:
    """The numbers of the trials whose final run has ended.

    Args:
        attributes: of the study.
    """
    done = [name for name, value in attributes.items() if name.startswith(FINAL) and value == "done"]
    return {int(name.removeprefix(FINAL)) for name in done}


def lacks_final(study: Study) -> bool:
    """Whether some final trial has not been run to its end yet."""
    return bool(without_final(study))
