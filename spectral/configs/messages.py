"""One sentence that a user can act on, for a wrong key or type that OmegaConf found.

The sentences are made from the types of our own configs and from where the error is; OmegaConf's words are not read.
"""

import dataclasses
import re
import shlex
import types
from collections.abc import Mapping, Sequence
from typing import Any, Union, get_args, get_origin

from omegaconf import Container, ListConfig
from omegaconf.errors import ConfigKeyError, InterpolationResolutionError, KeyValidationError, OmegaConfBaseException

from spectral.configs.whole_value import WholeValue
from spectral.errors import nearest

KINDS: Mapping[Any, str] = {int: "an integer", float: "a number", bool: "true or false", str: "text"}
LISTS: Mapping[Any, tuple[str, str]] = {
    int: ("integers", "[1,2]"),
    float: ("numbers", "[0.5,0.5]"),
    str: ("texts", "[a,b]"),
}
MAPPINGS = ("mappings", "[{name:first},{name:second}]")
INDEX = re.compile(r"\[(\d+)\]")  # of a list, which the command line has behind a dot


def config_sentence(error: OmegaConfBaseException, fields: Sequence[str], prefix: str = "", argument: str = "") -> str:
    """The sentence for one OmegaConf error.

    Args:
        error: raised when a config was merged or read.
        fields: the valid keys next to the wrong one; used if the error itself does not name them.
        prefix: key of the merged node in the whole config, such as "model".
        argument: what was merged, as written on the command line; empty if that is not known.
    """
    full_key = str(error.full_key or error.key or "")
    key = f"{prefix}.{full_key}" if prefix and full_key and not full_key.startswith(prefix) else full_key or prefix
    is_number = isinstance(error, KeyValidationError) and isinstance(error.key, int)  # as in {1: star}; keys are texts
    if is_number or isinstance(error, ConfigKeyError | AttributeError):
        return _unknown_key(error, key, fields)
    if isinstance(error.child_node, WholeValue):
        return _without_classes(key, argument.lstrip("+"))
    if argument.startswith("~"):
        return f"{key} cannot be deleted: give it another value, such as null, [] or {{}}."
    if beyond := _beyond_the_end(error, key, argument):
        return beyond
    allowed = kind_in_words(_type_at(error))
    if isinstance(error, InterpolationResolutionError) or allowed is None:
        return f"{key} is not valid: {str(error).splitlines()[0].strip().rstrip('.:')}."
    return f"{_given(error, key, argument.lstrip('+'))} has the wrong type: allowed is {allowed}."


def kind_in_words(kind: Any) -> str | None:
    """What a type of a config allows, in words; None if it is anything."""
    kind = _without_none(kind)
    if get_origin(kind) is list:
        return "a list of {}, such as {}".format(*_elements(kind))
    if kind is dict or get_origin(kind) is dict or dataclasses.is_dataclass(kind):
        return "a mapping, such as {a: 1}"
    return KINDS.get(kind)


def element_type(kind: Any) -> Any:
    """The type of the elements of a list type, Optional or not; None if it is no list of one type."""
    return next(iter(get_args(_without_none(kind))), None)


def _unknown_key(error: OmegaConfBaseException, key: str, fields: Sequence[str]) -> str:
    kind = error.object_type
    known = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else fields
    known = [name for name in known if name != "name"]
    if kind is dict:  # of keys that the user chooses
        allowed = f"{nearest(str(error.key), known)}; " if known else ""
        given = INDEX.sub(r".\1", key)
        return f"{key} is not a known key: {allowed}to add a new key write a plus before it, as in +{given}=..."
    return f"{key} is not a known key: {nearest(str(error.key), known)}."


def _without_classes(key: str, argument: str) -> str:
    """The sentence for values by class if they are set to {}, or if the argument sets only one of them."""
    is_one = argument.startswith((f"{key}.", f"{key}["))
    wrong = f"{argument} sets one class alone" if is_one else f"{key}={{}} names no class"
    return f"{wrong}: give all classes at once, as in '{key}={{star: 0.8, qso: 0.2}}'."


def _beyond_the_end(error: OmegaConfBaseException, key: str, argument: str) -> str | None:
    """The sentence for an index of the argument that a list does not have; None for other errors."""
    held, name = error.parent_node, key.rpartition("[")[0]
    if not isinstance(held, ListConfig) or not str(error.key).isdecimal() or int(error.key) < len(held):
        return None
    if not argument.lstrip("+").startswith((f"{name}.", f"{name}[")):  # the whole list is given, not an index
        return None
    has = {0: "is empty", 1: "has one element, of index 0"}.get(len(held), f"has {len(held)} elements, from index 0")
    example = shlex.quote(f"{name}={_elements(_without_none(error.ref_type))[1]}")
    return f"{key} does not exist: {name} {has}; to make it longer give the whole list, as in {example}."


def _given(error: OmegaConfBaseException, key: str, argument: str) -> str:
    """The key with its value: as it is on the command line, unless the mistake is inside the argument."""
    if argument.partition("=")[0] == key:
        return argument
    if error.key is None:  # a mapping and a list, of which the error does not say the value
        return key
    value = "null" if error.value is None else error.value
    return f"{key}={value}"


def _type_at(error: OmegaConfBaseException) -> Any:
    """The type that the config has where the error is."""
    parent, child = error.parent_node, error.child_node
    if error.key is None or not isinstance(parent, Container):
        return error.ref_type  # a mapping in the place of a list, or the other way round
    if isinstance(parent, ListConfig):
        return element_type(error.ref_type)
    return None if child is None else child._metadata.ref_type


def _without_none(kind: Any) -> Any:
    if get_origin(kind) not in (Union, types.UnionType):
        return kind
    return next((argument for argument in get_args(kind) if argument is not type(None)), None)


def _elements(kind: Any) -> tuple[str, str]:
    """The elements of a list type in words, and an example of such a list."""
    element = element_type(kind)
    return LISTS.get(element, MAPPINGS if dataclasses.is_dataclass(element) else ("names", "[a,b]"))
