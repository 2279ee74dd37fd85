"""The catalog of a packed survey, as the figures read it."""

import numpy as np
import pandas as pd

NUMBERS = ("snr", "redshift")


def with_numbers(catalog: pd.DataFrame) -> pd.DataFrame:
    """A catalog whose S/N and redshift are floats: a text that is no number, such as NA, is missing.

    One such text makes the whole column text in the pack.
    """
    named = [name for name in catalog if str(name).lower() in NUMBERS]
    return catalog.assign(**{str(name): _floats(catalog[name]) for name in named})


def _floats(values: "pd.Series[float]") -> "pd.Series[float]":
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return pd.Series(numbers, index=values.index)
