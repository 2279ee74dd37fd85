"""The study of a search without a name: named by what it searches, so that the same command finds it again."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import optuna
from omegaconf import DictConfig, OmegaConf
from optuna.storages import BaseStorage

from sweeps.arguments import GROUP, RUN_DIR
from sweeps.config import SweepConfig
from sweeps.config_check import directions, objective_names
from sweeps.places import JOURNAL_FILE, SWEEPS, journal_url
from sweeps.ranking import ranked
from sweeps.space import Space
from sweeps.space.domains.choice import Fixed
from sweeps.storage import open_storage_of_user
from sweeps.study import FINAL, TOTAL

# Of the sweep's own keys those that decide what its trials are and how they are judged.
DECISIVE = ("sampler", "pruner", "pruning", "seeds", "seed_key", "seed", "constraints", "search_overrides")
LONGEST_TITLE = 60


def name_of(sweep: SweepConfig, space: Space, known: Sequence[dict[str, Any]], config: DictConfig) -> str:
    """The searched keys, and a short hash of all that the search is and its jobs share, but for the free keys.

    Args:
        known: configurations to run first: enqueued ones, or a whole grid.
        config: of the command; values of the hydra group and of the sweep's own keys do not count.
    """
    names = objective_names(sweep)
    decisive = asdict(sweep)
    identity = {
        "program": [config.hydra.job.name, config.hydra.job.config_name],
        "space": space.signature(),
        "known": list(known),
        "objectives": [names, directions(sweep, names)],
        "fixed": sorted(o for o in space.common if not _is_free(o.partition("=")[0].lstrip("+~"), sweep.free_keys)),
        "sweep": {key: decisive[key] for key in DECISIVE},
        "config": _of_jobs(config, sweep.free_keys),
    }
    # Whatever a config may hold has a text; two that differ in it alone are two searches.
    text = json.dumps(identity, default=str)
    return f"{_title(space)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def choose_study(name: str, url: str | None, timeout_s: float, held_back: bool) -> tuple[str, str]:
    """Go on with the last study of a search where it is unfinished; else a new one begins, under the next number.

    Args:
        name: of the search's first study; those after it are NAME-2, NAME-3, ...
        url: of the storage; None for journals in outputs/sweeps.
        held_back: whether the best trial is run once more at the end.

    Returns:
        The study's name, and a line for the user.
    """
    there, number = _names(url, timeout_s), 1
    while _numbered(name, number + 1, there):
        number += 1
    last = _numbered(name, number, there)
    study = _load(last, url, timeout_s) if last else None
    if study is None:
        return last or name, f"The study {last or name} begins."
    num_ended, total = _progress(study)
    if num_ended < total or (held_back and _lacks_final(study)):
        return study.study_name, (
            f"The study {last} goes on: {num_ended} of {total} trials have ended. "
            "Another sweep.study_name, or run_dir=FOLDER, begins anew."
        )
    return f"{name}-{number + 1}", (
        f"The study {last} is finished, with {num_ended} of {total} trials: {name}-{number + 1} begins. "
        f"sweep.study_name={last} shows it, and adds to it with a higher sweep.num_trials."
    )


def _title(space: Space) -> str:
    searched = [axis.name for axis in space.axes.values() if not isinstance(axis.domain, Fixed)]
    return re.sub(r"[^\w.+-]", "_", "+".join(searched))[:LONGEST_TITLE] or "single"


def _of_jobs(config: DictConfig, free_keys: Sequence[str]) -> dict[str, Any]:
    """What the jobs' config holds as it stands in the yaml: a time that is filled in would never come again."""
    content: Any = OmegaConf.to_container(config, resolve=False, enum_to_str=True)
    for key in ("hydra", GROUP, RUN_DIR, *free_keys):
        *groups, last = key.split(".")
        node = content
        for group in groups:
            node = node.get(group) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.pop(last, None)
    return dict(content)


def _is_free(key: str, free_keys: Sequence[str]) -> bool:
    return any(key == free or key.startswith(f"{free}.") for free in free_keys)


def _names(url: str | None, timeout_s: float) -> set[str]:
    """The studies that there are in a storage; None: in outputs/sweeps."""
    if url is None:
        return {journal.parent.name for journal in SWEEPS.glob(f"*/{JOURNAL_FILE}")}
    return {study.study_name for study in open_storage_of_user(url, timeout_s).get_all_studies()}


def _numbered(name: str, number: int, there: set[str]) -> str | None:
    found = name if number == 1 else f"{name}-{number}"
    return found if found in there else None


def _load(name: str, url: str | None, timeout_s: float) -> optuna.Study | None:
    """None where its journal was made, and nothing was written into it yet."""
    storage: BaseStorage = open_storage_of_user(url or journal_url(SWEEPS / name), timeout_s)
    if name not in {study.study_name for study in storage.get_all_studies()}:
        return None
    return optuna.load_study(study_name=name, storage=storage)


def _progress(study: optuna.Study) -> tuple[int, int]:
    """How many trials have ended, and how many the last command asked for."""
    num_ended = sum(trial.state.is_finished() for trial in study.get_trials(deepcopy=False))
    return num_ended, study.user_attrs.get(TOTAL, num_ended + 1)


def _lacks_final(study: optuna.Study) -> bool:
    """Whether the best trial has yet to be run once more."""
    best = ranked(study.get_trials(deepcopy=False), study.directions)[:1]
    return any(study.user_attrs.get(f"{FINAL}{trial.number}") != "done" for trial in best)
