"""What a study searches and how it compares trials: stored, and compared with each command that resumes the study."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optuna import Study

from sweeps.config import SweepConfig
from sweeps.errors import user_error
from sweeps.invocation import program
from sweeps.space import Space, difference, read_constraints
from sweeps.space.values import canonical, text
from sweeps.study.attributes import IDENTITY, MOST, PROGRAM, REFERENCE, REPORTED, TOTAL
from sweeps.study.renamed import renamed_axis, renamed_override
from sweeps.study.trial_counts import num_ended

Identity = Mapping[str, Any]


def identity_of(config: SweepConfig, space: Space, objectives: list[str], seeds: list[int] | None) -> dict[str, Any]:
    """The JSON to store with a study, for `changed` to compare.

    Args:
        seeds: that every configuration is run with; None for the single seed of its own config.
    """
    return {
        "space": space.signature(),
        "objectives": objectives,
        "fixed": _not_free(space.common, config.free_keys),
        "seeds": seeds or 1,
        "seed_key": config.seed_key if seeds else None,
        "constraints": {c.name: _bounds(c.at_least, c.at_most) for c in read_constraints(config.constraints)},
        "search_overrides": sorted(_not_free(config.search_overrides, config.free_keys)),
    }


# Defaults of keys that a study of an earlier version does not have.
DEFAULTS: Identity = {"seeds": 1, "seed_key": None, "constraints": {}, "search_overrides": []}


def up_to_date(stored: Identity, free_keys: Sequence[str]) -> dict[str, Any]:
    """The stored identity of a study, as this version would have stored it.

    Args:
        free_keys: of this version; an earlier version may have had fewer.
    """
    current = {**DEFAULTS, **stored}
    for key in ("fixed", "search_overrides"):
        current[key] = [renamed_override(o) for o in _not_free(current[key], free_keys)]
    current["space"] = {name: renamed_axis(name, axis) for name, axis in stored["space"].items()}
    return current


def changed(old: Identity, new: Identity) -> str | None:
    """How a search differs from the one that a study began with, in words; None if it does not.

    Args:
        old: as `up_to_date` returns it.
    """
    if old["objectives"] != new["objectives"]:
        return f"objectives were {', '.join(old['objectives'])}, now {', '.join(new['objectives'])}"
    if set(old["fixed"]) != set(new["fixed"]):
        return "; ".join(_fixed_changes(old, new))
    for key in ("seeds", "seed_key", "search_overrides"):
        if old[key] != new[key]:
            return f"sweep.{key} was {text(old[key])}, now {text(new[key])}"
    if bounds := difference(old["constraints"], new["constraints"]):
        return f"sweep.constraints: {bounds}"
    return difference(old["space"], new["space"])


def refuse_other(
    name: str, old: Identity, new: Identity, old_directions: Sequence[str], directions: Sequence[str]
) -> None:
    """Raise UserError if a command would resume a study with another search, or another way to compare trials.

    Args:
        name: of the study.
        directions: maximize or minimize for each objective.
    """
    is_turned = list(old_directions) != list(directions)
    turned = f"it was to {', '.join(old_directions)}, now to {', '.join(directions)}" if is_turned else None
    if found := changed(old, new) or turned:
        raise user_error(
            f"the study {name} was begun with another search ({found.rstrip('.')}): give the old command to resume "
            "it, or another sweep.study_name, and with run_dir another folder too."
        )


def check_identity(
    study: Study, name: str, mine: Identity, directions: Sequence[str], config: SweepConfig, space: Space
) -> Identity | None:
    """Store what a new study searches; of a study that is there return what it stored.

    Raises:
        UserError: it searches something else, or was not made by a sweep.
    """
    there: Identity | None = study.user_attrs.get(IDENTITY)
    if there is None:
        if study.get_trials(deepcopy=False):
            raise user_error(f"sweep.study_name={name} is a study that was not made by a sweep: give another name.")
        study.set_user_attr(IDENTITY, mine)
        return None
    old = up_to_date(there, config.free_keys)
    new = {**mine, "space": space.signature(begun=old["space"])}
    refuse_other(name, old, new, [d.name.lower() for d in study.directions], directions)
    return there


def note_command(study: Study, num_trials: int, enqueued: Sequence[Mapping[str, Any]]) -> None:
    """Store for readers of the study how many trials are asked for, and how its program is started."""
    stored = study.user_attrs
    most = max(num_trials, stored.get(MOST, 0), stored.get(TOTAL, 0))
    asked: dict[str, Any] = {TOTAL: num_trials, MOST: most, PROGRAM: program()}
    is_full = num_ended(study.get_trials(deepcopy=False)) >= num_trials
    if enqueued and not (is_full and REFERENCE in stored):  # in a full study nothing more begins
        asked[REFERENCE] = canonical(enqueued[0])
    if not is_full:
        asked[REPORTED] = False
    for name, value in asked.items():
        if stored.get(name) != value:
            study.set_user_attr(name, value)


def note_reported(study: Study) -> None:
    """Store that a finished study has all that it ends in, so that the same command need not do it."""
    if not study.user_attrs.get(REPORTED):
        study.set_user_attr(REPORTED, True)


def overrides_now(stored: Sequence[str], space: Space, free_keys: Sequence[str]) -> list[str]:
    """The overrides of an earlier trial with today's names of values, and with the free keys of the present command.

    Args:
        stored: with the trial, by the command that began it, perhaps on another machine.
        space: of the present command. A free key that it searches stays as the trial has it.
    """
    of_command = [override for override in space.common if _is_free(_key(override), free_keys)]
    of_trial = [o for o in stored if _key(o) in space.axes or not _is_free(_key(o), free_keys)]
    return of_command + [renamed_override(override) for override in of_trial]


def _fixed_changes(old: Identity, new: Identity) -> Iterator[str]:
    """A clause for each fixed value of the jobs that differs, or that is an axis in only one of the two searches."""
    before, now = _by_key(old["fixed"]), _by_key(new["fixed"])
    for key in dict.fromkeys([*before, *now]):
        was, is_now = before.get(key), now.get(key)
        if was == is_now:
            continue
        if is_now is None:
            yield f"{key} was {_value(was)}, now it is searched" if key in new["space"] else f"{was} is gone"
        elif was is None:
            yield f"{key} was searched, now it is {_value(is_now)}" if key in old["space"] else f"{is_now} is new"
        else:
            yield f"{key} was {_value(was)}, now {_value(is_now)}"


def _by_key(overrides: Sequence[str]) -> dict[str, str]:
    return {_key(override): override for override in overrides}


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+")


def _value(override: str | None) -> str:
    return (override or "").partition("=")[2]


def _not_free(overrides: Sequence[str], free_keys: Sequence[str]) -> list[str]:
    """The overrides that may change a job's result, not only where and how fast it runs."""
    return [override for override in overrides if not _is_free(_key(override), free_keys)]


def _is_free(key: str, free_keys: Sequence[str]) -> bool:
    return any(key == free or key.startswith(f"{free}.") for free in free_keys)


def _bounds(at_least: float | None, at_most: float | None) -> dict[str, float | None]:
    """The bounds as floats, so that 2e6 and 2000000 are equal."""
    return {name: None if b is None else float(b) for name, b in (("at_least", at_least), ("at_most", at_most))}
