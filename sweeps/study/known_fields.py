"""Read records that another version of this package may have written."""

import dataclasses
from collections.abc import Mapping
from typing import Any


def known_fields(cls: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a stored record that its dataclass has. A later version may have written more fields."""
    names = {field.name for field in dataclasses.fields(cls)}
    return {name: value for name, value in stored.items() if name in names}
