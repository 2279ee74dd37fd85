"""The lines that a sweep prints before its first trial: the state of its study, and warnings."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sweeps.config import SweepConfig
from sweeps.files import load_json
from sweeps.outputs import SUMMARY_FILE
from sweeps.results.final_trials import lacks_final
from sweeps.results.trial_fingerprints import stored_fingerprints
from sweeps.space import Constraint
from sweeps.space.values import canonical
from sweeps.storage.urls import file_of
from sweeps.study.accepted_data import accepted_data
from sweeps.study.attributes import ENQUEUED
from sweeps.study.renamed import renamed_configuration
from sweeps.study.sampler import samplers
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import num_ended, num_taken, standing


def startup_lines(
    study: SharedStudy, sweep: SweepConfig, constraints: Sequence[Constraint], chosen: str = ""
) -> Iterator[str]:
    """The lines to print, one sentence each.

    Args:
        chosen: the line on the state of the study, if the study's name was chosen for the user.
    """
    yield chosen or _state_of(study)
    if lost := _lost_trials(study):
        yield lost
    if sweep.num_trials and sweep.num_trials > study.num_trials:
        held = f"{study.num_trials} configuration" + "s" * (study.num_trials > 1)
        yield f"sweep.num_trials={sweep.num_trials} is more than the grid's {held}: each configuration is run once."
    trials = study.trials()
    num_there = num_taken(trials)
    if num_there > study.num_trials:
        yield f"The study already has {num_there} trials, more than the {study.num_trials} that are asked for."
    num = _num_left_out(study, sweep) - max(study.num_trials - len(standing(trials)), 0)
    if num > 0:
        are = "1 configuration of sweep.enqueue is" if num == 1 else f"{num} configurations of sweep.enqueue are"
        total = max(study.num_trials, num_there)
        yield f"{are} not run: the total of the study is {total}, and a higher sweep.num_trials adds trials."
    if accepted := accepted_data(study.study):
        names = " and ".join(sorted({*stored_fingerprints(study.trials()).values(), *accepted}))
        yield f"Trials on different data are ranked together, as sweep.accept_changed_data asked: {names}."
    if study.num_retried:
        yield f"Failed trials that are run again: {study.num_retried}."
    if constraints and sweep.sampler and samplers.find(sweep.sampler).ignores_constraints:
        yield f"sweep.sampler={sweep.sampler} learns nothing from sweep.constraints; they are still enforced."


def _lost_trials(study: SharedStudy) -> str:
    """A sentence if sweep.json lists trials that a study without any once had; else nothing."""
    journal = file_of(study.url)
    if journal is None or study.trials():
        return ""
    try:
        num = sum(load_json(journal.with_name(SUMMARY_FILE)).get("counts", {}).values())
    except (OSError, ValueError, AttributeError, TypeError):  # it is missing or damaged, and only informs
        return ""
    lost = f"{journal.with_name(SUMMARY_FILE)} lists {num} trials, but {journal.name} was new or empty"
    return (
        f"{lost}: they are run again. If you have a copy, stop, put it back, and give the same command." if num else ""
    )


def _num_left_out(study: SharedStudy, sweep: SweepConfig) -> int:
    """How many configurations of sweep.enqueue are none of the study's trials."""
    stored = (trial.user_attrs.get(ENQUEUED) for trial in standing(study.trials()))
    begun = Counter(renamed_configuration(text) for text in stored if text)
    return (Counter(map(canonical, sweep.enqueue)) - begun).total()


def _state_of(study: SharedStudy) -> str:
    """Whether a study begins, resumes or is finished, and how many of its trials have ended."""
    trials = study.trials()
    num = num_ended(trials)
    ended = f"{num} of {max(num, study.num_trials)} trials have ended"
    if not trials:
        return f"The study {study.name} begins."
    if num < study.num_trials:
        return f"The study {study.name} resumes: {ended}."
    if study.config.search_overrides and lacks_final(study.study):
        return f"The study {study.name} resumes: {ended}, and scores on the test split are left."
    return f"The study {study.name} is finished: {ended}."
