"""From a survey's words for classes to the user's: `data.class_map`."""

from collections.abc import Mapping, Sequence

import pandas as pd


def mapped_labels(
    labels: pd.Series, class_map: Mapping[str, str | None], class_names: Sequence[str] | None
) -> pd.Series:
    """Labels under the names that the user has for them; capitals do not matter in what is looked up.

    Args:
        labels: text, or missing.
        class_map: a survey's word -> the class, or None for a spectrum without a label. Other words stay.
        class_names: the user's (data.class_names); a label that is one of them but for capitals, or that the map makes
            of one of them, becomes it: with [STAR, QUASAR] the labels QSO are QUASAR.
    """
    lower = {word.lower(): name for word, name in class_map.items()}
    given = {name.lower(): name for name in class_names or ()}
    mapped = {(lower.get(word) or name).lower(): name for word, name in given.items()}
    own = mapped | given

    def renamed(label: str) -> str | None:
        name = lower.get(label.lower(), label)
        return None if name is None else own.get(name.lower(), name)

    words = {label: renamed(label) for label in labels.dropna().unique()}
    return labels.map(words).astype("str")
