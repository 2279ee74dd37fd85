"""Whether a command may resume a run: which keys of the config must be the same. docs/run-folder.md lists the rules."""

import dataclasses
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from spectral.configs.baseline_run import BaselineRunConfig
from spectral.configs.data import readers
from spectral.configs.dotted import flat
from spectral.configs.pretraining import PretrainingConfig
from spectral.configs.renamed import CHANGED_DEFAULTS, renamed, with_stages_of_0_1
from spectral.configs.root import ExperimentConfig
from spectral.configs.stored import kind_of, read_stored
from spectral.errors import UserError

log = logging.getLogger(__name__)

# Keys that may differ when a run is resumed: they change where and how fast it is computed, not the result.
FREE_KEYS = (
    "run_dir",
    "cache_dir",
    "device",
    "precision",
    "layout",
    "compile",
    "num_threads",
    "kernel",
    "evaluate_batch_size",
    "data.num_workers",
    "data.rows_per_part",
    "score_test",
    "tracker",
    "plots",
    "sweep",
)
OFF: tuple[Any, ...] = (None, False, [], {})  # an option with such a value did nothing
WHAT = {
    BaselineRunConfig: "a baseline, and this command trains a network",
    PretrainingConfig: "a pretraining, which init=FOLDER begins with",
}


def is_free(key: str) -> bool:
    """Whether a key of the config may differ when a run is resumed."""
    return any(key == free or key.startswith(f"{free}.") for free in FREE_KEYS)


def as_begun(path: Path, stored: Mapping[str, Any], given: dict[str, Any], chosen: Collection[str]) -> dict[str, Any]:
    """A command's config, with the grid that the run in `path` took from `init`, and the options that it began without.

    A later version may have added an option, and a yaml another value of it than its default, or changed a default. The
    run keeps the default that it began with, unless the command itself names the option: then it is compared like any
    other.

    Args:
        chosen: the keys that the command names.
    """
    if (kind := kind_of(stored)) is not kind_of(given):
        raise UserError(f"run_dir={path} holds {WHAT.get(kind, 'the run of a network')}: give another run_dir.")
    begun = read_stored(stored)[0]
    given = _on_grid_as_begun(begun, given)
    if kind is ExperimentConfig:
        given = _with_stages_as_begun(path, stored, given)
    then, now = flat(begun), flat(given)
    added = then.keys() & now.keys() - flat(renamed(stored)).keys()
    moved = {key for key, defaults in CHANGED_DEFAULTS.items() if (then.get(key), now.get(key)) == defaults}
    changed = {key: then[key] for key in sorted(added | moved) if then[key] != now[key] and key not in chosen}
    config = OmegaConf.create(given)
    for key, value in changed.items():
        if not is_free(key):
            if key in moved:
                log.warning("The run in %s has %s=%s, once the default: it continues with that.", path, key, value)
            else:
                log.info("The run in %s began before there was %s: it continues with %s=%s.", path, key, key, value)
            OmegaConf.update(config, key, value)
    resolved = OmegaConf.to_container(config)
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def _with_stages_as_begun(path: Path, stored: Mapping[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A command's config, whose stages have the defaults of the version that began the run in `path`."""
    begun = with_stages_of_0_1(given, stored)
    now, then = (flat(dict(enumerate(read_stored(config)[0]["schedule"]["stages"]))) for config in (given, begun))
    if kept := [f"schedule.stages.{key}={value}" for key, value in then.items() if value != now[key]]:
        log.warning("The run in %s has %s, once the default: it continues with that.", path, ", ".join(kept))
    return begun


def _on_grid_as_begun(begun: Mapping[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A command's config on the grid that the run took from `init`, unless the command has a grid of its own."""
    data, stored = given.get("data"), begun["data"]
    name = data.get("name") if isinstance(data, Mapping) else None
    if (
        begun.get("init") is None
        or not isinstance(stored, Mapping)
        or stored.get("name") != name
        or "grid" not in stored
    ):
        return given
    default = dataclasses.asdict(readers.entry(str(name)).config().grid)
    if read_stored(given)[0]["data"]["grid"] != default:
        return given
    return {**given, "data": {**dict(data or {}), "grid": stored["grid"]}}


def check_same(path: Path, stored: Mapping[str, Any], given: Mapping[str, Any], is_finished: bool) -> None:
    """Check that the config of a command is the config of the run in `path`.

    A key that one of the two configs lacks counts with its default. An option of the stored config that this version
    does not know is ignored, with a warning in the log, if the run is finished or the option had no effect.

    Raises:
        UserError: the configs differ, or an unknown option may matter; the sentence names the first such key.
    """
    old, unknown = read_stored(stored)
    new, more = read_stored(given)
    there, here = flat(old), flat(new) | more
    for key in [*here, *there]:
        was, now = there.get(key, "absent"), here.get(key, "absent")
        if not is_free(key) and was != now:
            raise UserError(
                f"run_dir={path} holds a run with {key}={was}, this command has {key}={now}: "
                "give the same config to resume it, or another run_dir."
            )
    for key, value in unknown.items():
        if not is_free(key):
            _ignore(path, key, value, may_matter=not is_finished and value not in OFF)


def _ignore(path: Path, key: str, value: Any, may_matter: bool) -> None:
    """Log an option that this version does not know; raise UserError if training would continue without it."""
    problem = f"run_dir={path} holds a run with {key}={value}, which this version does not know"
    if may_matter:
        raise UserError(f"{problem}: resume it with the version that began it, or give another run_dir.")
    log.warning("%s: it is ignored.", problem)
