"""Fractions that sum to 1 as the dashboard shows them: themselves, not the helper variables that they are drawn by."""

from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial

from sweeps.results.trial_row import configuration

Parameters = dict[str, tuple[Any, BaseDistribution]]


def show_fractions(trial: FrozenTrial, space: Mapping[str, Mapping[str, Any]]) -> None:
    """Replace the parameters of each simplex of a trial by its fractions: `sampler.fractions.star`, or `axis[0]`.

    Args:
        trial: a copy, whose parameters are replaced.
        space: axis -> signature, as the identity of its study has it.
    """
    chosen = configuration(trial)
    parameters: Parameters = {name: (trial.params[name], trial.distributions[name]) for name in trial.params}
    for axis, signature in space.items():
        helpers = [f"{axis}[u{k}]" for k in range(signature.get("size", 0))]
        if signature.get("type") == "simplex" and axis in chosen and all(name in parameters for name in helpers):
            parameters = _replaced(parameters, helpers, _fractions(axis, signature, chosen[axis]))
    trial.params = {name: value for name, (value, _) in parameters.items()}
    trial.distributions = {name: distribution for name, (_, distribution) in parameters.items()}


def _replaced(parameters: Parameters, names: list[str], by: Parameters) -> Parameters:
    """The same parameters, with others in the place of the first of `names`."""
    replaced: Parameters = {}
    for name, parameter in parameters.items():
        replaced |= by if name == names[0] else {} if name in names else {name: parameter}
    return replaced


def _fractions(axis: str, signature: Mapping[str, Any], value: Any) -> Parameters:
    """Each fraction, between its minimum and what the minima of the others leave."""
    minimum, classes = signature["minimum"], signature.get("classes")
    names = [f".{name}" for name in classes] if classes else [f"[{k}]" for k in range(len(value))]
    shares = [value[name] for name in classes] if classes else value
    return {
        f"{axis}{name}": (share, FloatDistribution(low, max(low, 1 - sum(minimum) + low)))
        for name, share, low in zip(names, shares, minimum, strict=True)
    }
