"""The space held against the experiment's typed config, before anything runs."""

from collections.abc import Callable, Mapping
from typing import Any

from hydra.errors import HydraException

from sweeps.errors import hydra_sentence, user_error, user_error_type
from sweeps.space.extremes import alone
from sweeps.space.space import Space

Compose = Callable[[list[str]], Any]


def check_space(space: Space, compose: Compose) -> None:
    """Compose the configurations that hold all extremes, and name the axis at fault where one is refused.

    A refusal that comes of two axes together, each allowed by itself, is left to the trials that meet it, unless no
    configuration at all is allowed.

    Args:
        compose: makes and checks the config of a job's overrides; what it raises where it is refused is a UserError or
            a HydraException.

    Raises:
        UserError: the sentence of the refusal, after the key of its axis.
    """
    extremes = space.extremes()
    refused = [(values, sentence) for values in extremes if (sentence := _refusal(space, values, compose))]
    for values, sentence in refused:
        _blame(space, values, sentence, compose)
    if refused and len(refused) == len(extremes):
        raise user_error(f"sweep.space holds no configuration that is allowed: {refused[0][1]}")


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
                raise user_error(f"{axis.name} cannot be searched so: {sentence}")


def _refusal(space: Space, values: Mapping[str, Any], compose: Compose) -> str | None:
    try:
        compose(space.overrides(values))
    except user_error_type() as error:
        return str(error)
    except HydraException as error:
        return hydra_sentence(error)
    return None
