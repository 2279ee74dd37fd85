"""Check the search space against the experiment's typed config, before anything runs."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hydra.errors import HydraException

from sweeps.errors import user_error, user_error_type
from sweeps.space.extremes import alone, completions
from sweeps.space.group_choices import group_choices, least_refused
from sweeps.space.messages import hydra_sentence
from sweeps.space.space import Space
from sweeps.space.values import override, text

Compose = Callable[[list[str]], Any]


def check_space(
    space: Space,
    compose: Compose,
    checked: Sequence[Mapping[str, Any]] = (),
    is_group: Callable[[str], bool] = lambda _: False,
) -> None:
    """Compose configurations that contain all extremes. If one is refused, name the axis that causes it.

    The parts that are chosen from config groups are composed in their combinations: some may lack a key of the search.
    If two values are only refused together, each being allowed by itself, the trials with both fail later; the search
    is refused only if no configuration at all is allowed.

    Args:
        compose: makes and checks the config for a job's overrides; raises UserError or HydraException to refuse it.
        checked: configurations that are known to be allowed; their extremes are not composed again.
        is_group: whether a key is that of a config group.

    Raises:
        UserError: a configuration is refused; the sentence names the axis and the reason.
    """
    extremes = space.extremes(checked)
    refused = [(values, sentence) for values in extremes if (sentence := _refusal(space, values, compose))]
    for values, sentence in refused:
        _blame(space, values, sentence, compose)
    if refused and len(refused) == len(extremes) and not checked:
        raise user_error(f"sweep.space has no configuration that is allowed: {refused[0][1]}")
    _check_group_choices(space, compose, is_group)


def _check_group_choices(space: Space, compose: Compose, is_group: Callable[[str], bool]) -> None:
    """Raise UserError for parts with which no values of the other axes are allowed, at their first or last extremes."""
    allowed, refused, sentences = [], [], []
    for choice in group_choices(space.ordered, is_group):
        # Of several completions the last one leaves the other axes out, which no trial does.
        whole = completions(choice, space.ordered)[:2]
        found = [_refusal(space, space.in_order(values), compose) for values in whole]
        if all(found):
            refused.append(choice)
            sentences.append(str(found[0]))
        else:
            allowed.append(choice)
    if refused:
        parts = least_refused(refused, allowed)
        raise user_error(
            f"{parts} cannot be run with the other keys of this search: {sentences[0].rstrip('.')}; leave it out, or "
            "search that key under a condition, the `when` of an axis in conf/sweep (docs/sweep-space.md)."
        )


def check_enqueued(space: Space, enqueue: Sequence[Mapping[str, Any]], compose: Compose) -> list[Mapping[str, Any]]:
    """Raise UserError for a configuration of `sweep.enqueue` that is outside the space, or cannot be run.

    If a configuration leaves axes to the sampler, it is completed with their first and with their last extremes. It is
    refused only if none of these can be run.

    Args:
        compose: as in check_space.

    Returns:
        The configurations that were composed and are allowed.
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


def open_condition(space: Space, enqueue: Sequence[Mapping[str, Any]]) -> str:
    """A sentence for a configuration of `sweep.enqueue` that may be run without one of its values; or "".

    It leaves out an axis that the value needs by its condition, and of which several values would do, or none.

    Args:
        enqueue: configurations that check_enqueued allows.
    """
    for values in enqueue:
        for name, possible in space.needed(values).items():
            if not possible:
                return (
                    f"sweep.enqueue holds {text(values)}, which needs a value of {name} that no configuration of this "
                    "search has: leave it out."
                )
            if len(possible) > 1 and not space.axes[name].is_always_among(possible):
                need = f"{name}={' or '.join(map(text, possible))}"
                return f"sweep.enqueue holds {text(values)}, which needs {need}: enqueue one of them with it."
    return ""


def unmet_condition(space: Space) -> str:
    """A sentence for an axis that the command line gives, but no configuration has by its condition; or ""."""
    for name, axis in space.axes.items():
        if name in space.given and not all(space.needed({name: axis.domain.extremes()[0]}).values()):
            return (
                f"{name} cannot be given, since it does nothing here: sweep.space.{name}.when searches it only with "
                f"{axis.when}."
            )
    return ""


def check_seeds(space: Space, key: str, seeds: Sequence[int], compose: Compose) -> None:
    """Raise UserError if the key `sweep.seed_key` cannot have these seeds.

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
    """Raise UserError for the axis whose value alone, without the other axes, is refused with the same sentence.

    If the sentence also comes without any axis, the cause is the experiment, and the sentence is raised as it is.
    """
    if _refusal(space, {}, compose) == sentence:
        raise user_error(sentence)
    for axis in space.axes.values():
        if axis.name in values:
            least = alone(axis, values[axis.name], space.ordered)
            if least is not None and _refusal(space, least, compose) == sentence:
                is_named = re.match(rf"{re.escape(axis.name)}[^\w.]", sentence)
                raise user_error(
                    sentence if is_named else f"{axis.name} cannot be searched in these values: {sentence}"
                )


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
