"""Type and check the config of a sweep, before anything starts."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sweeps.config import DEFAULT_SAMPLER, SweepConfig
from sweeps.errors import config_sentence, nearest, user_error
from sweeps.objective import natural_direction
from sweeps.planning.arguments import is_own
from sweeps.space.values import is_number
from sweeps.study.pruner import pruners
from sweeps.study.sampler import names_for_several_objectives, samplers

if TYPE_CHECKING:
    from sweeps.objective import Direction
    from sweeps.space import Space

AT_LEAST = {
    "num_trials": 1,
    "max_failures": 1,
    "max_retries": 0,
    "start_timeout_s": 0,
    "lost_after_s": 30,  # the time of three heartbeats
    "storage_timeout_s": 0,
    "report_timeout_s": 0,
    "batch_size": 1,
    "ensemble_top": 1,
    "seed": 0,
}
OBJECTIVE = "objective"
LONGEST_NAME = 200  # bytes; a file system allows 255, and a number is added to the name of a later study


def typed_sweep(node: Any) -> SweepConfig:
    """`config.sweep` as a checked SweepConfig, with all options of its pruner.

    Raises:
        UserError: a key, type or value is not allowed; the sentence names the first.
    """
    if not isinstance(node, DictConfig | Mapping | None):
        raise user_error(f"sweep={node} has the wrong type: allowed is a mapping.")
    try:
        # Resolved inside the whole config, since it may refer to other parts of it.
        plain = OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else node or {}
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(SweepConfig), plain))
    except OmegaConfBaseException as error:
        raise user_error(config_sentence(error, vars(SweepConfig()), "sweep")) from error
    assert isinstance(config, SweepConfig)
    if config.sampler is not None:
        samplers.find(config.sampler)
    for key, least in AT_LEAST.items():
        _check_at_least(key, getattr(config, key), least)
    _check_study_name(config.study_name)
    _check_storage(config.storage)
    _check_seeds(config.seeds)
    config.pruning = _pruning(config)
    _check_enqueued(config.enqueue)
    return config


def objective_names(config: SweepConfig) -> list[str]:
    """The names of the objectives, usually one; "objective" if the config names none."""
    given = OBJECTIVE if config.objective is None else config.objective
    names: list[str] = given if isinstance(given, list) else [given]
    if not names or not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise user_error(f"sweep.objective={given} is not allowed: give a name, or a list of different names.")
    if len(names) > 1 and not pruners.find(config.pruner).takes_several_objectives:
        raise user_error(f"sweep.pruner={config.pruner} cannot judge {len(names)} objectives: allowed is none.")
    if len(names) > 1 and not samplers.find(config.sampler or DEFAULT_SAMPLER).takes_several_objectives:
        sentence = f"sweep.sampler={config.sampler} cannot search for {len(names)} objectives"
        raise user_error(f"{sentence}: allowed are {', '.join(names_for_several_objectives())}.")
    return names


def check_objective(config: SweepConfig, job_config: DictConfig) -> None:
    """Raise UserError for an objective that no run reports, before a configuration of the search is blamed for it.

    Also if sweep.objective differs from the jobs' own objective: scores would be mislabelled.
    """
    own = OmegaConf.select(job_config, OBJECTIVE)
    own = OmegaConf.to_container(own) if OmegaConf.is_config(own) else own
    if own is not None and config.objective not in (None, own):
        raise user_error(
            f"sweep.objective={config.objective} is not what the jobs return, which is objective={own}: "
            "change objective, which sets both."
        )
    if config.check and config.check.startswith("spectral."):
        from spectral.configs.objective import check_objective as check_name

        for name in own if isinstance(own, list) else [own]:
            if isinstance(name, str):  # the jobs' own check refuses other types
                check_name(name)


def directions(config: SweepConfig, names: list[str]) -> "list[Direction]":
    """maximize or minimize for each objective. If not given: minimize losses and times, maximize the others."""
    given = config.direction
    if given is None:
        return [natural_direction(name) for name in names]
    listed = given if isinstance(given, list) else [given] * len(names)
    for direction in listed:
        _check_word("direction", direction, ("maximize", "minimize"))
    if len(listed) != len(names):
        raise user_error(f"sweep.direction={given} must have one word for each of the {len(names)} objectives.")
    return list(listed)


def seed_list(config: SweepConfig, job_config: DictConfig) -> list[int] | None:
    """The seeds that every configuration is run with; None for the single seed of its own config."""
    if isinstance(config.seeds, list):
        return [int(seed) for seed in config.seeds]
    if config.seeds == 1:
        return None
    try:
        first = OmegaConf.select(job_config, config.seed_key, default=0)
    except OmegaConfBaseException:  # there is no such key
        first = None
    if not isinstance(first, int) or isinstance(first, bool):
        value = "a list or mapping" if OmegaConf.is_config(first) else f"its value {first}"
        raise user_error(
            f"sweep.seed_key={config.seed_key} cannot count up from {value}: allowed is the key of an integer, or a "
            "list under sweep.seeds."
        )
    return [first + k for k in range(config.seeds)]


def check_axes(space: "Space", config: SweepConfig) -> None:
    """Raise UserError if the search varies a key that must be the same in all jobs."""
    for name in filter(is_own, space.axes):
        raise user_error(f"{name} cannot be searched: it has one value for all jobs of a sweep.")
    if config.seeds != 1 and config.seed_key in space.axes:
        raise user_error(
            f"{config.seed_key} cannot be searched together with sweep.seeds={config.seeds}, which sets it for all "
            "jobs: leave out one of the two."
        )
    if OBJECTIVE in space.axes:
        raise user_error(
            f"{OBJECTIVE} cannot be searched: trials are compared by it; for several objectives give a list of names."
        )


def check_constrained(names: Iterable[str], config: SweepConfig) -> None:
    """Raise UserError for a name under `sweep.constraints` that no run of the experiment reports.

    Another program has its own numbers: those are checked when it gives its first result.
    """
    if config.check and config.check.startswith("spectral."):
        from spectral.configs.objective import check_number

        for name in names:
            check_number(name, f"sweep.constraints.{name}")


def refused_search_override(config: SweepConfig) -> str:
    """A sentence on a key of `sweep.search_overrides` without which a finished run of the search is another one; or "".

    Another program has rules of its own for a run that is given again.
    """
    if config.check and config.check.startswith("spectral."):
        from spectral.runs.identity import FREE_KEYS, is_free

        allowed = ", ".join(key for key in FREE_KEYS if key not in ("run_dir", "sweep"))
        for override in config.search_overrides:
            key = override.partition("=")[0].lstrip("+~")
            if not (is_free(key) or key.startswith(("hydra.", "hydra/"))):
                return (
                    f"sweep.search_overrides has {override}, without which the best trial would be another run and "
                    f"could not be scored on the test split: allowed are {allowed}."
                )
    return ""


def _check_word(key: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise user_error(f"sweep.{key}={value} is not known: {nearest(str(value), allowed)}.")


def _check_at_least(key: str, value: float | None, least: float) -> None:
    if value is not None and not (math.isfinite(value) and value >= least):
        raise user_error(f"sweep.{key}={value} is out of range: allowed is at least {least}.")


def _check_study_name(name: str | None) -> None:
    if name is None:
        return
    if not name or name in (".", "..") or any(mark in name for mark in "/\\\0\n"):
        raise user_error(f"sweep.study_name={name} cannot name a folder: allowed is any word without a slash.")
    if len(name.encode()) > LONGEST_NAME:
        raise user_error(f"sweep.study_name={name[:20]}... is too long: allowed are {LONGEST_NAME} bytes.")


def _check_storage(url: str | None) -> None:
    if url is not None:
        from sweeps.storage.urls import check_storage_url

        check_storage_url(url)


def _check_seeds(seeds: Any) -> None:
    if isinstance(seeds, list):
        fine = bool(seeds) and all(is_number(seed) and float(seed).is_integer() for seed in seeds)
        fine = fine and len(set(seeds)) == len(seeds)
    else:
        fine = isinstance(seeds, int) and not isinstance(seeds, bool) and seeds >= 1
    if not fine:
        raise user_error(f"sweep.seeds={seeds} is not allowed: give a number of seeds, or a list of different seeds.")


def _pruning(config: SweepConfig) -> dict[str, Any]:
    """Check the options of the pruner, and return all of them."""
    pruner = pruners.typed(config.pruner, config.pruning)
    pruner.check(num_seeds=len(config.seeds) if isinstance(config.seeds, list) else config.seeds)
    if config.promote and not pruner.can_promote:
        able = ", ".join(name for name in pruners.names if pruners.find(name).can_promote)
        raise user_error(f"sweep.promote=true cannot be used with sweep.pruner={config.pruner}: allowed is {able}.")
    return vars(pruner)


def _check_enqueued(enqueue: list[Any]) -> None:
    for configuration in enqueue:
        if not isinstance(configuration, Mapping) or not all(isinstance(key, str) for key in configuration):
            raise user_error(f"sweep.enqueue: {configuration} is not a mapping of axes to values, such as {{a.b: 1}}.")
