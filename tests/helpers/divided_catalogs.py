"""Catalogs that are divided, and how."""

from typing import Any

import pandas as pd

from spectral.configs.split import splits

SHARES = {"train": 0.7, "validation": 0.2, "test": 0.1}


def typed(name: str = "stratified", **options: Any) -> Any:
    return splits.typed({"name": name, **options}, "split")


STRATIFIED = typed(validation=0.2, test=0.1)


def catalog_of(labels: Any, groups: Any = None, first: int = 0) -> pd.DataFrame:
    frame = pd.DataFrame({"id": [f"s{first + i}" for i in range(len(labels))], "label": pd.Series(labels, dtype="str")})
    return frame if groups is None else frame.assign(group=pd.Series(groups, dtype="str"))
