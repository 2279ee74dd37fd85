"""The config that all jobs of a study have: stored, and compared with each command that resumes the study."""

import json
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from sweeps.errors import user_error
from sweeps.planning.arguments import GROUP, RUN_DIR
from sweeps.space.values import text
from sweeps.study.attributes import CONFIG
from sweeps.study.renamed import renamed_config
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import failed, standing

log = logging.getLogger(__name__)

Change = tuple[str, Any, Any]  # key, value that was, value that is; GONE if there is none any more
GONE = object()
DATA = "data."  # the study keeps fingerprints of its data, which may have moved


def of_jobs(config: DictConfig, left_out: Sequence[str]) -> dict[str, Any]:
    """The jobs' config as written in the yaml, not resolved: a time that is filled in would never be the same again.

    Args:
        left_out: keys that are of no interest; a group counts as the key that it fills.
    """
    return _without(OmegaConf.to_container(config, resolve=False, enum_to_str=True), left_out)


def check_same_config(study: SharedStudy, config: DictConfig) -> None:
    """Store the jobs' config with a study; if the study has one and trials, check that the command's is the same.

    A key that is new is no change: another version of the program may have it. A doubtful change, such as a key that is
    gone or data in another place, is warned of, and so is any change if no trial is left to run.

    Args:
        config: of the command, composed without the axes of the search.

    Raises:
        UserError: a value differs; the sentence names it.
    """
    sweep = study.config
    searched = [override.partition("=")[0] for override in sweep.search_overrides]
    left_out = [*sweep.free_keys, sweep.seed_key, *study.space.axes, *searched]
    now = json.loads(json.dumps(of_jobs(config, left_out), default=str))
    trials = study.trials()
    if CONFIG not in study.study.user_attrs or len(standing(trials)) == len(failed(trials)):
        study.study.set_user_attr(CONFIG, now)
        return
    changes = list(_changes(renamed_config(_without(study.study.user_attrs[CONFIG], left_out)), now))
    certain = [] if study.is_finished() else [change for change in changes if not _is_doubtful(change)]
    if certain:
        raise user_error(
            f"the study {study.name} was begun with another config ({_in_words(certain[0])}): put the old value back "
            "to resume it, or give another sweep.study_name, and with run_dir another folder too."
        )
    if changes:
        said = "; ".join(map(_in_words, changes))
        log.warning("The study %s was begun with another config: %s.", study.name, said)


def _without(content: Any, left_out: Sequence[str]) -> dict[str, Any]:
    """A config without some keys; it is changed."""
    for key in ("hydra", GROUP, RUN_DIR, *left_out):
        *nodes, last = key.lstrip("+~").rpartition("@")[2].replace("/", ".").split(".")
        node = content
        for name in nodes:
            node = _part(node, name)
        if isinstance(node, dict):
            node.pop(last, None)
        elif _part(node, last) is not None:
            node[int(last)] = None  # the others keep their places
    return dict(content)


def _part(node: Any, name: str) -> Any:
    """What a mapping has under a key, or a list at a place; None if there is nothing."""
    if isinstance(node, list):
        return node[int(name)] if name.isdecimal() and int(name) < len(node) else None
    return node.get(name) if isinstance(node, dict) else None


def _changes(was: Any, now: Any, key: str = "") -> Iterator[Change]:
    if isinstance(was, dict) and isinstance(now, dict):
        for name, value in was.items():
            yield from _changes(value, now.get(name, GONE), f"{key}.{name}" if key else name)
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for i, value in enumerate(was):
            yield from _changes(value, now[i], f"{key}.{i}")
    elif was != now and repr(was) != repr(now):  # two NaN have one text
        yield key, was, now


def _is_doubtful(change: Change) -> bool:
    """Whether the experiment may be the same: the data, a path, an interpolation, or a key that is gone."""
    key, *values = change
    texts = [value for value in values if isinstance(value, str)]
    is_place = len(texts) == 2 and all("/" in value for value in texts)
    return key.startswith(DATA) or is_place or GONE in values or any("${" in value for value in texts)


def _in_words(change: Change) -> str:
    key, was, now = change
    return f"{key} was {text(was)}, now it is {'gone' if now is GONE else text(now)}"
