"""Name the study of a search without a name by what it searches, so that the same command finds it again."""

import hashlib
import json
import re

import optuna
from omegaconf import DictConfig
from optuna.trial import TrialState

from sweeps.config import DEFAULT_SAMPLER, SweepConfig
from sweeps.outputs import JOURNAL_FILE, SWEEPS
from sweeps.planning.jobs_config import of_jobs
from sweeps.planning.plan import Plan
from sweeps.results.final_trials import lacks_final
from sweeps.space import Space
from sweeps.space.domains.choice import Fixed
from sweeps.space.values import canonical
from sweeps.storage.connect import open_storage_of_user
from sweeps.storage.urls import journal_url
from sweeps.study.attributes import MOST, REPORTED, TOTAL
from sweeps.study.find import names_begun
from sweeps.study.identity import identity_of
from sweeps.study.trial_counts import num_ended, standing

LONGEST_TITLE = 60


def name_search(sweep: SweepConfig, space: Space, plan: Plan, config: DictConfig) -> str:
    """A name made of the searched keys and a short hash of the search and its jobs' common config.

    The hash leaves out the free keys.

    Args:
        config: of the command; its hydra group and the sweep's own keys are left out.
    """
    identity = identity_of(sweep, space, plan.objectives, plan.seeds)
    identity |= {
        "program": [config.hydra.job.name, config.hydra.job.config_name],
        "fixed": sorted(identity["fixed"]),
        "directions": plan.directions,
        "known": sorted(canonical(values) for values in plan.enqueued),
        "kind": plan.kind,
        "sampler": [sweep.sampler or DEFAULT_SAMPLER, sweep.seed, sweep.pruner, sweep.pruning],
        "config": of_jobs(config, sweep.free_keys),
    }
    # Every value of a config has a text; configs with different texts are different searches.
    text = json.dumps(identity, default=str)
    return f"{_title(space)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def choose_study(name: str, sweep: SweepConfig) -> tuple[str, str]:
    """Choose the last study of a search if it is unfinished, to resume it; else a new one, with the next number.

    A folder that holds a study of another name, such as a copy, is passed over.

    Args:
        name: of the search's first study; later ones are NAME-2, NAME-3, ...

    Returns:
        The study's name, and a line for the user.
    """
    taken, number = _names(sweep), 1
    while _numbered(name, number + 1, taken):
        number += 1
    numbered = (_numbered(name, k, taken) for k in range(number, 0, -1))
    last = next((found for found in numbered if found and not _holds_another(found, sweep)), None)
    study = _load(last, sweep) if last else None
    if study is None:
        new = last or (f"{name}-{number + 1}" if name in taken else name)
        return new, f"The study {new} begins."
    num, total = _progress(study, sweep.num_trials)
    has_more = (sweep.retry_failed and _has_failed(study)) or not study.user_attrs.get(REPORTED, True)
    if num < total or has_more or (sweep.search_overrides and lacks_final(study)):
        return study.study_name, (
            f"The study {last} resumes: {num} of {total} trials have ended. "
            "To start from scratch, give another sweep.study_name, or run_dir=FOLDER."
        )
    return f"{name}-{number + 1}", (
        f"The study {last} is finished, with {num} of {total} trials: {name}-{number + 1} begins. "
        f"To show the finished study give sweep.study_name={last}; to add trials to it, also a higher sweep.num_trials."
    )


def _title(space: Space) -> str:
    searched = [axis.name for axis in space.axes.values() if not isinstance(axis.domain, Fixed)]
    return re.sub(r"[^\w.+-]", "_", "+".join(searched))[:LONGEST_TITLE] or "single"


def _names(sweep: SweepConfig) -> set[str]:
    """The names of the studies in the storage, or in outputs/sweeps."""
    if sweep.storage is None:
        return {journal.parent.name for journal in SWEEPS.glob(f"*/{JOURNAL_FILE}")}
    return {
        study.study_name for study in open_storage_of_user(sweep.storage, sweep.storage_timeout_s).get_all_studies()
    }


def _numbered(name: str, number: int, taken: set[str]) -> str | None:
    found = name if number == 1 else f"{name}-{number}"
    return found if found in taken else None


def _holds_another(name: str, sweep: SweepConfig) -> bool:
    """Whether the journal in the folder of a name holds a study, but none of that name."""
    begun = [] if sweep.storage else names_begun(journal_url(SWEEPS / name), sweep.storage_timeout_s)
    return bool(begun) and name not in begun


def _load(name: str, sweep: SweepConfig) -> optuna.Study | None:
    """The study of a name; None if its journal was made, but nothing was written into it yet."""
    storage = open_storage_of_user(sweep.storage or journal_url(SWEEPS / name), sweep.storage_timeout_s)
    if name not in {study.study_name for study in storage.get_all_studies()}:
        return None
    return optuna.load_study(study_name=name, storage=storage)


def _progress(study: optuna.Study, asked: int | None) -> tuple[int, int]:
    """The number of trials that have ended, and the total: of the last command, or what an earlier one left of `asked`.

    Args:
        asked: by this command; None: as many as any command asked for.
    """
    num = num_ended(study.get_trials(deepcopy=False))
    last = study.user_attrs.get(TOTAL, num + 1)
    most = study.user_attrs.get(MOST, last)
    return num, max(num, last, min(asked or most, most))


def _has_failed(study: optuna.Study) -> bool:
    return any(trial.state == TrialState.FAIL for trial in standing(study.get_trials(deepcopy=False)))
