"""What a study searches, in words. A signature is what sweeps/space/domains keep of a domain: type, low, high, ..."""

from collections.abc import Mapping
from typing import Any

from sweeps.results.trial_row import shown

MOST_LISTED = 12


def searched(space: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Axis -> its domain in words, for the axes with more than one value."""
    return {name: in_words(signature) for name, signature in space.items() if signature["type"] != "fixed"}


def fixed(space: Mapping[str, Mapping[str, Any]], further: list[str]) -> list[str]:
    """Overrides that all trials share."""
    alone = [f"{name}={shown(s['value'])}" for name, s in space.items() if s["type"] == "fixed"]
    return alone + [override for override in further if override not in alone]


def in_words(signature: Mapping[str, Any]) -> str:
    """A domain, and when it is searched."""
    only = [f"{name} is {_listed(values, ' or ')}" for name, values in signature.get("when", {}).items()]
    return _domain(signature) + (f", only where {' and '.join(only)}" if only else "")


def _domain(signature: Mapping[str, Any]) -> str:
    kind = signature["type"]
    if kind in ("int", "float"):
        what = "a whole number" if kind == "int" else "a number"
        scale = " on a log scale" if signature["log"] else ""
        return f"{what} from {shown(signature['low'])} to {shown(signature['high'])}{scale}"
    if kind == "list":
        shortest, longest = signature["min_length"], signature["max_length"]
        length = str(longest) if shortest == longest else f"{shortest} to {longest}"
        return f"a list of {length}, each {_domain(signature['element'])}"
    if kind == "simplex":
        least = sorted(set(signature["minimum"]))
        bound = shown(least[0]) if len(least) == 1 else " / ".join(map(shown, signature["minimum"]))
        named = f" of {_listed(signature['classes'], ', ')}" if "classes" in signature else ""
        return f"{signature['size']} shares{named} that sum to 1, each at least {bound}"
    if kind == "fixed":
        return shown(signature["value"])
    values = signature["values"]
    if kind == "steps" and len(values) > MOST_LISTED:
        return f"{len(values)} values from {shown(values[0])} to {shown(values[-1])}, evenly spaced"
    return f"one of {_listed(values, ', ')}"


def _listed(values: list[Any], separator: str) -> str:
    more = f"{separator}{len(values) - MOST_LISTED} more" if len(values) > MOST_LISTED else ""
    return separator.join(map(shown, values[:MOST_LISTED])) + more
