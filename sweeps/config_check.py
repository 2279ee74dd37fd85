"""The sweep's config, typed and checked before anything starts."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeps.config import PRUNERS, SAMPLERS, SweepConfig
from sweeps.errors import nearest, user_error
from sweeps.space.values import is_number

if TYPE_CHECKING:
    from sweeps.study import Direction

AT_LEAST = {
    "num_trials": 1,
    "max_failures": 1,
    "max_retries": 0,
    "lost_after_s": 30,  # three signs of life
    "storage_timeout_s": 0,
    "batch_size": 1,
    "seed": 0,
    "pruning.min_steps": 1,
    "pruning.max_steps": 1,
    "pruning.startup_trials": 0,
    "pruning.reduction_factor": 2,
    "pruning.p_threshold": 0,
}


def typed_sweep(node: Any) -> SweepConfig:
    """`config.sweep` as a checked SweepConfig.

    Raises:
        UserError: the first key, type or value that is not allowed.
    """
    try:
        # Resolved where it stands: it may refer to the rest of the config.
        plain = OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else node or {}
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SweepConfig), plain))
    except OmegaConfBaseException as error:
        raise user_error(f"sweep.{error.full_key}: {str(error.msg).splitlines()[0]}.") from error
    assert isinstance(config, SweepConfig)
    _check_word("sampler", config.sampler, SAMPLERS)
    _check_word("pruner", config.pruner, PRUNERS)
    for key, least in AT_LEAST.items():
        _check_least(config, key, least)
    _check_study_name(config.study_name)
    _check_storage(config.storage)
    _check_seeds(config.seeds)
    _check_enqueued(config.enqueue)
    return config


def objective_names(config: SweepConfig) -> list[str]:
    """One name, or several for a multi-objective study; "objective" where the config names none."""
    given = config.objective
    names = [str(name) for name in given] if isinstance(given, list) else [str(given or "objective")]
    if not names:
        raise user_error("sweep.objective=[] names nothing: allowed is a name, or a list of one or more.")
    if len(names) > 1 and config.pruner != "none":
        raise user_error(f"sweep.pruner={config.pruner} cannot judge {len(names)} objectives: allowed is none.")
    return names


def directions(config: SweepConfig, names: list[str]) -> "list[Direction]":
    """maximize or minimize for each objective; where none is given, losses and times are better small."""
    given = config.direction
    if given is None:
        return [natural_direction(name) for name in names]
    listed = given if isinstance(given, list) else [given] * len(names)
    for direction in listed:
        _check_word("direction", direction, ("maximize", "minimize"))
    if len(listed) != len(names):
        raise user_error(f"sweep.direction={given} must hold a word for each of the {len(names)} objectives.")
    return list(listed)


def natural_direction(name: str) -> "Direction":
    """Losses and times are better small, scores are better large."""
    from spectral.objective import objective_direction

    return objective_direction(name)


def seed_list(config: SweepConfig, job_config: DictConfig) -> list[int] | None:
    """The seeds that every configuration is run with; None for its own single one."""
    if isinstance(config.seeds, list):
        return [int(seed) for seed in config.seeds]
    if config.seeds == 1:
        return None
    first = int(OmegaConf.select(job_config, config.seed_key, default=0))
    return [first + k for k in range(config.seeds)]


def _check_word(key: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise user_error(f"sweep.{key}={value} is not known: {nearest(str(value), allowed)}.")


def _check_least(config: SweepConfig, key: str, least: float) -> None:
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    if value is not None and not (math.isfinite(value) and value >= least):
        raise user_error(f"sweep.{key}={value} is out of range: allowed is at least {least}.")


def _check_study_name(name: str | None) -> None:
    if name is not None and (not name or name in (".", "..") or any(mark in name for mark in "/\\\0\n")):
        raise user_error(f"sweep.study_name={name} cannot name a folder: allowed is any word without a slash.")


def _check_storage(url: str | None) -> None:
    if url is not None:
        from sweeps.database_url import check_storage_url

        check_storage_url(url)


def _check_seeds(seeds: Any) -> None:
    if isinstance(seeds, list):
        fine = bool(seeds) and all(is_number(seed) and int(seed) == seed for seed in seeds)
        fine = fine and len(set(seeds)) == len(seeds)
    else:
        fine = isinstance(seeds, int) and not isinstance(seeds, bool) and seeds >= 1
    if not fine:
        raise user_error(f"sweep.seeds={seeds} is not allowed: give a number of seeds, or a list of different seeds.")


def _check_enqueued(enqueue: list[Any]) -> None:
    for configuration in enqueue:
        if not isinstance(configuration, Mapping):
            raise user_error(f"sweep.enqueue: {configuration} is no mapping of axes to values, such as {{a.b: 1}}.")
