"""Which spectra train a network that needs no labels: spectra without one too."""

from pathlib import Path
from typing import Any

import pandas as pd

from spectral.data.splits.saved import Parts
from spectral.data.splits.split import assign_split

ONE_CLASS = "spectrum"  # the label of all spectra of a survey that has none


def assign_without_labels(catalog: pd.DataFrame, config: Any, folder: Path | str | None) -> Parts:
    """The split of each spectrum, as `assign_split` has it of those with labels; the others train too.

    But a spectrum without a label is in no training split if its object, or with split=given its source, belongs to
    validation or test. If no spectrum has a label, all are divided as if they were of one class, and nothing is saved.

    Raises:
        UserError: as `assign_split`.
    """
    has_label = catalog["label"].notna()
    if not has_label.any():
        return assign_split(catalog.assign(label=ONE_CLASS), config, None)
    parts = assign_split(catalog, config, folder)
    return parts.where(has_label, _of_the_others(catalog, parts, config))


def _of_the_others(catalog: pd.DataFrame, parts: Parts, config: Any) -> Parts:
    """The split of each spectrum as if it had no label."""
    others = pd.Series("train", index=catalog.index, dtype="str")
    if "group" in catalog:
        is_kept = parts.isin(["validation", "test"])
        # The first in the alphabet is test: an object that the source has in both must not train on it.
        of_object = parts[is_kept].groupby(catalog["group"][is_kept]).min()
        others = catalog["group"].map(of_object).fillna("train")
    if config.name == "given":
        of_source = catalog["split"]
        others = others.mask(of_source.isin(["validation", "test"]), of_source)
    return others
