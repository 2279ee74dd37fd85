"""Translate stored values of a study whose names have changed since; the experiment knows the new names."""

import json
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from sweeps.space.values import canonical, is_plain, override


def renamed_override(text: str) -> str:
    """An override with today's names of its values; unchanged if no value was renamed."""
    from spectral.configs.renamed import may_have_old_name, renamed

    if not may_have_old_name(text):  # the parser takes a millisecond, and a dashboard shows a thousand trials
        return text
    parsed = OverridesParser.create().parse_override(text)
    value = parsed.value()
    if not is_plain(value) or (now := renamed(value, parsed.key_or_group)) == value:
        return text
    return override(text.partition("=")[0], now)


def renamed_configuration(text: str) -> str:
    """A configuration with today's names of its values, as canonical JSON, as a trial stores it."""
    from spectral.configs.renamed import renamed

    return canonical(renamed(json.loads(text)))


def renamed_config(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a study's jobs with today's names of its values."""
    from spectral.configs.renamed import renamed

    return dict(renamed(stored))


def renamed_axis(name: str, signature: Mapping[str, Any]) -> dict[str, Any]:
    """The signature of an axis, with today's names of its values and of the values in its condition."""
    from spectral.configs.renamed import renamed

    return {field: renamed(value, "" if field == "when" else name) for field, value in signature.items()}
