"""Results that an earlier version wrote under other names. Light: a list of runs needs no tables."""

from collections.abc import Mapping
from typing import Any


def is_of_rule(result: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether a result of version 0.1 has scores of a decision rule under the names of argmax."""
    rule = config.get("decision")
    if "decision" in result or not isinstance(rule, Mapping):
        return False
    return rule.get("name") != "argmax" or bool(rule.get("prior_correction"))
