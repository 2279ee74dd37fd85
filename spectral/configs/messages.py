"""Turn an error of Hydra or OmegaConf about a wrong key or type into one sentence that a user can act on."""

import dataclasses
import re
import shlex
from collections.abc import Sequence
from typing import Any, get_args

from omegaconf import ListConfig
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException, ValidationError

from spectral.configs.whole_value import EMPTY
from spectral.errors import nearest


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
    if isinstance(error, ConfigKeyError | AttributeError):
        kind = error.object_type
        known = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else fields
        known = [name for name in known if name != "name"]
        if kind is dict:  # of keys that the user chooses
            allowed = f"{nearest(str(error.key), known)}; " if known else ""
            return f"{key} is not a known key: {allowed}to add a new key write a plus before it, as in +{key}=..."
        return f"{key} is not a known key: {nearest(str(error.key), known)}."
    if EMPTY in str(error):
        return _without_classes(key, argument.lstrip("+"))
    given = argument if argument.partition("=")[0].lstrip("+") == key else key
    list_for_mapping = str(error).startswith("Cannot merge") and error.object_type is dict and "=[" in given
    if list_for_mapping or (isinstance(error, ValidationError) and re.match(r"Cannot assign \w+ to Dict", str(error))):
        return f"{given} has the wrong type: allowed is a mapping, such as {{a: 1}}."
    if "does not support deletion" in str(error):
        return f"{key} cannot be deleted: give it another value, such as null, [] or {{}}."
    if isinstance(error, ValidationError) and (match := re.match(r"Value '(.*?)' .*converted to (\w+)", str(error))):
        return f"{key}={match[1]} has the wrong type: allowed is {_ARTICLES.get(match[2], match[2])}."
    if beyond := _beyond_the_end(error, key, argument):
        return beyond
    if "is not a ListConfig" in str(error) or (str(error).startswith("Cannot merge") and error.object_type is list):
        held = error.child_node if isinstance(error.child_node, ListConfig) else error.parent_node
        elements, example = _elements(held._metadata.ref_type if isinstance(held, ListConfig) else error.ref_type)
        return f"{given} has the wrong type: allowed is a list of {elements}, such as {example}."
    if isinstance(error, ValidationError) and (match := re.match(r"Invalid type assigned: .* value: (.*)", str(error))):
        return f"{key}={match[1]} has the wrong type: allowed is a mapping, such as {{a: 1}}."
    return f"{key} is not valid: {str(error).splitlines()[0].strip().rstrip('.')}."


def _without_classes(key: str, argument: str) -> str:
    """The sentence for values by class if they are set to {}, or if the argument sets only one of them."""
    is_one = argument.startswith((f"{key}.", f"{key}["))
    wrong = f"{argument} sets one class alone" if is_one else f"{key}={{}} names no class"
    return f"{wrong}: give all classes at once, as in '{key}={{star: 0.8, qso: 0.2}}'."


def _beyond_the_end(error: OmegaConfBaseException, key: str, argument: str) -> str | None:
    """The sentence for an index of the argument that a list does not have; None for other errors."""
    held, place = error.parent_node, re.fullmatch(r"(.*)\[(\d+)\]", key)
    if not isinstance(held, ListConfig) or not place or int(place[2]) < len(held):
        return None
    if argument.startswith(f"{place[1]}="):  # the whole list is given: its elements are no indices
        return None
    has = {0: "is empty", 1: "has one element, of index 0"}.get(len(held), f"has {len(held)} elements, from index 0")
    example = shlex.quote(f"{place[1]}={_elements(error.ref_type)[1]}")
    return f"{key} does not exist: {place[1]} {has}; to make it longer give the whole list, as in {example}."


def _elements(kind: Any) -> tuple[str, str]:
    """The elements of a list type such as Optional[list[float]] in words, and an example of such a list."""
    inner = [argument for argument in get_args(kind) if argument is not type(None)]
    if inner and get_args(inner[0]):  # a list within Optional
        return _elements(inner[0])
    element = inner[0] if inner else None
    return _LISTS.get(element, ("mappings", _NAMED) if dataclasses.is_dataclass(element) else ("values", "[1,2]"))


_NAMED = "[{name:first},{name:second}]"
_LISTS: dict[Any, tuple[str, str]] = {
    int: ("integers", "[1,2]"),
    float: ("numbers", "[0.5,0.5]"),
    str: ("texts", "[a,b]"),
}
_ARTICLES = {"Integer": "an integer", "Float": "a number", "Bool": "true or false", "String": "text"}
