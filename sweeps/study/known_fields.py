"""Records that another version of this package may have written."""

import dataclasses
from collections.abc import Mapping
from typing import Any


def known_fields(cls: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a stored record that its dataclass has: a later version may have written more of them."""
    names = {field.name for field in dataclasses.fields(cls)}
    return {name: value for name, value in stored.items() if name in names}
