"""Messages for mistakes in a search that Hydra or OmegaConf finds.

Names of axes contain dots, which Hydra reads as levels of the config, so that its own messages would mislead.
"""

import re
import shlex
from collections.abc import Sequence
from typing import Any

from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from sweeps.errors import did_you_mean, user_error_type
from sweeps.space.read import FIELDS, read_condition
from sweeps.sweeper_keys import SWEEPER_KEYS, other_plugin_sentence, sweeper_key_sentence

SWEEP, SPACE, CONSTRAINTS = "sweep.", "sweep.space", "sweep.constraints."
DELETED_AXIS = re.compile(r"delete from config\. '\w+\.space\.(\S+)' does not exist")
NO_KEYS = (
    "This search has no keys (sweep=none is for single runs): leave sweep=none out, or begin the search's yaml with "
    "`defaults: [default, _self_]`."
)


def hydra_sentence(error: HydraException) -> str:
    """One sentence that says what is wrong with overrides; raises the error if it is not a mistake of the user."""
    from spectral.cli.run import hydra_sentence as sentence

    return sentence(error, search_sentence)


def search_sentence(error: HydraException) -> str | None:
    """The sentence for a mistake in a search; None for other mistakes."""
    from spectral.cli.run import argument_of_several_values, hydras_own_words, merged_argument

    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException):
        return (
            _sweeper_key(cause, merged_argument(error))
            or _unknown_key(cause)
            or _unknown_bound(cause)
            or _conditional_axis(cause, merged_argument(error))
            or axis_sentence(cause, merged_argument(error))
        )
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return other_plugin_sentence(group, name)
    if argument := argument_of_several_values(error):
        return f"{argument} has several values, which need -m; write a list in brackets, as in [1,2]."
    if axis := DELETED_AXIS.search(str(error)):
        return f"{hydras_own_words(error)}: to remove an axis from a search give it a value, as in {axis[1]}=VALUE."
    return None


def _sweeper_key(error: OmegaConfBaseException, argument: str) -> str | None:
    """The sentence for a key of another sweeper of Hydra; None for other errors."""
    key, _, value = argument.lstrip("+").partition("=")
    key = key or str(error.full_key)
    is_key = isinstance(error, ConfigKeyError | ConfigAttributeError)
    return sweeper_key_sentence(key, value) if is_key and key.startswith(SWEEPER_KEYS) else None


def _unknown_key(error: OmegaConfBaseException) -> str | None:
    """The sentence for a key that every search should have, but this one lacks; None for other errors."""
    is_key = isinstance(error, ConfigKeyError | ConfigAttributeError) and error.object_type is dict
    if not is_key or not str(error.full_key).startswith(SWEEP) or str(error.full_key).count(".") > 1:
        return None
    if not error.parent_node:
        return NO_KEYS
    return f"{error.full_key} is not a known key: the search's yaml lacks `defaults: [default, _self_]`."


def _unknown_bound(error: OmegaConfBaseException) -> str | None:
    """The sentence for a bound on a number that no run reports, which a plus would not fix; None for other errors."""
    key, parent = str(error.full_key), error.parent_node
    name = key.removeprefix(CONSTRAINTS)
    if name in (key, "") or "." in name or parent is None:
        return None
    if not str(parent._get_root().sweep.get("check")).startswith("spectral."):  # another program has its own numbers
        return None
    from spectral.configs.objective import check_number

    try:
        check_number(name, key)
    except user_error_type() as mistake:
        return str(mistake)
    return None


def _conditional_axis(error: OmegaConfBaseException, argument: str) -> str | None:
    """The sentence for a value of an axis that is searched under a condition; None for other errors.

    Hydra sets a single value in the config that the search begins from too, which need not meet the condition.
    """
    key, _, value = argument.lstrip("+").partition("=")
    is_key = isinstance(error, ConfigKeyError | ConfigAttributeError) and error.parent_node is not None
    axis = _axes(error).get(key) if is_key and error.full_key == key else None
    if not isinstance(axis, dict) or "when" not in axis:
        return None
    only, form = read_condition(f"{SPACE}.{key}.when", axis["when"]), shlex.quote(f"{key}=choice({value})")
    return f"{argument} cannot be set in all configurations, because {key} needs {only}: give it as {form}."


def _axes(error: OmegaConfBaseException) -> dict[Any, Any]:
    """The axes of the search whose config an error is in; empty if there is no search."""
    root: Any = error.parent_node._get_root() if error.parent_node is not None else None
    node = OmegaConf.select(root, SPACE) if isinstance(root, DictConfig) else None
    axes = OmegaConf.to_container(node) if isinstance(node, DictConfig) else {}
    return axes if isinstance(axes, dict) else {}


def axis_sentence(error: OmegaConfBaseException, argument: str) -> str | None:
    """The sentence for an axis that a search does not have, with the correct way to give it; None for other errors.

    Args:
        error: raised when the argument was merged.
        argument: as written on the command line; empty if it is not known.
    """
    key, _, value = argument.lstrip("+").partition("=")
    at_fault = str(error.full_key)
    if key == at_fault == SPACE and error.key is None and not value.startswith("["):  # a mapping and a list
        reason = "a list and a mapping cannot replace each other; give the axis itself, as in model.width=8,16 or"
        return f"{argument} cannot be merged into the search's axes: {reason} 'model.width=interval(8,16)'."
    if error.parent_node is None or not at_fault.startswith(f"{SPACE}.") or not key.startswith(SPACE):
        return None
    axes = [str(name) for name in error.parent_node._get_root().sweep.space]
    axis, fields = _split((at_fault if key == SPACE else key).removeprefix(f"{SPACE}."), axes)
    closest = "" if axis in axes else did_you_mean(axis, axes)
    form = f"+{argument.lstrip('+')}" if key == SPACE else _form(axis, fields, value, axis in axes)
    return f"{at_fault} is not a known key: {closest}give the whole axis, as in {shlex.quote(form)}."


def _form(axis: str, fields: Sequence[str], value: str, is_known: bool) -> str:
    """An argument that gives the axis correctly."""
    if is_known and not fields and value.startswith("["):  # a list cannot replace a mapping
        return f"{axis}={value[1:-1]}"
    for field in reversed(fields):
        value = f"{{{field}:{value}}}"
    return f"+{SPACE}={{{axis}:{value}}}"


def _split(path: str, axes: Sequence[str]) -> tuple[str, list[str]]:
    """Split a path into axis and fields: the longest known axis, else the part before the first field."""
    parts = path.split(".")
    ends = [i for i in range(1, len(parts) + 1) if i == len(parts) or parts[i] in FIELDS]
    end = max((i for i in ends if ".".join(parts[:i]) in axes), default=ends[0])
    return ".".join(parts[:end]), parts[end:]
