"""The space held against the experiment's typed config, before anything runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hydra.errors import HydraException

from sweeps.errors import user_error, user_error_type
from sweeps.space.extremes import alone, completions
from sweeps.space.messages import hydra_sentence
from sweeps.space.space import Space
from sweeps.space.values import override, text

Compose = Callable[[list[str]], Any]


def check_space(space: Space, compose: Compose, checked: Sequence[Mapping[str, Any]] = ()) -> None:
    """Compose the configurations that hold all extremes, and name the axis at fault where one is refused.

    A refusal that comes of two axes together, each allowed by itself, is left to the trials that meet it, unless no
    configuration at all is allowed.

    Args:
        compose: makes and checks the config of a job's overrides; what it raises where it is refused is a UserError or
            a HydraException.
        checked: configurations that are known to be allowed; what they hold is not composed again.

    Raises:
        UserError: the sentence of the refusal, after the key of its axis.
    """
    extremes = space.extremes(checked)
    refused = [(values, sentence) for values in extremes if (sentence := _refusal(space, values, compose))]
    for values, sentence in refused:
        _blame(space, values, sentence, compose)
    if refused and len(refused) == len(extremes) and not checked:
        raise user_error(f"sweep.space holds no configuration that is allowed: {refused[0][1]}")


def check_enqueued(space: Space, enqueue: Sequence[Mapping[str, Any]], compose: Compose) -> list[Mapping[str, Any]]:
    """Raise UserError for a configuration of `sweep.enqueue` that is outside the space, or cannot be run.

    One that leaves axes to the sampler is refused where it is so with the others at their defaults and extremes alike.

    Args:
        compose: as in check_space.

    Returns:
        What was composed and allowed.
    """
    allowed: list[Mapping[str, Any]] = []
    for values in enqueue:
        space.params(values)
        sentence = ""
        for whole in completions(values, space.ordered):
            sentence = _refusal(space, whole, compose) or ""
            if not sentence:
                allowed.append(whole)
                break
        if sentence:
            raise user_error(f"sweep.enqueue holds {text(values)}, which cannot be run: {sentence}")
    return allowed


def check_seeds(space: Space, key: str, seeds: Sequence[int], compose: Compose) -> None:
    """Raise UserError if jobs cannot be given these seeds under `sweep.seed_key`.

    Args:
        compose: as in check_space.
    """
    for values in space.extremes():
        if _refusal(space, values, compose) is None:
            for seed in sorted({min(seeds), max(seeds)}):
                if sentence := _refusal_of([*space.overrides(values), override(key, seed)], compose):
                    raise user_error(f"sweep.seed_key={key} cannot be {seed}: {sentence}")
            return


def _blame(space: Space, values: Mapping[str, Any], sentence: str, compose: Compose) -> None:
    """Raise for the axis whose value is refused with the same sentence even without the other axes.

    A sentence that is met without any axis speaks of the experiment, and is raised as it is.
    """
    if _refusal(space, {}, compose) == sentence:
        raise user_error(sentence)
    for axis in space.axes.values():
        if axis.name in values:
            least = alone(axis, values[axis.name], space.ordered)
            if least is not None and _refusal(space, least, compose) == sentence:
                is_named = re.match(rf"{re.escape(axis.name)}[^\w.]", sentence)
                raise user_error(sentence if is_named else f"{axis.name} cannot be searched so: {sentence}")


def _refusal(space: Space, values: Mapping[str, Any], compose: Compose) -> str | None:
    return _refusal_of(space.overrides(values), compose)


def _refusal_of(overrides: list[str], compose: Compose) -> str | None:
    try:
        compose(overrides)
    except user_error_type() as error:
        return str(error)
    except HydraException as error:
        return hydra_sentence(error)
    return None
