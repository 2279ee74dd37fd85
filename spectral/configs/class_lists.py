"""Lists of one value per class, checked against data.class_names, which is known before the data is read."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from spectral.errors import UserError


def check_num_classes(part: Any, key: str, class_names: Sequence[str] | None) -> None:
    """Raise UserError for a list of a part (a sampler, a loss) that should have one value per class and has not.

    Args:
        part: the typed config of a part, or None.
        key: where it stands in the config, such as "sampler".
        class_names: None if the data alone tells the classes.
    """
    if part is None or class_names is None:
        return
    for field in dataclasses.fields(part):
        values = getattr(part, field.name)
        if field.metadata.get("by_class") and values is not None and len(values) != len(class_names):
            raise UserError(
                f"{key}.{field.name}={values} has {len(values)} values, but data.class_names has {len(class_names)} "
                f"classes: {', '.join(class_names)}."
            )
