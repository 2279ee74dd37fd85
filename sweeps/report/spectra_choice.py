"""Which spectra are worth a look: those that the run got wrong, and those that it barely got right."""

import numpy as np
import pandas as pd

PROBABILITY = "probability/"
RIGHT_SHARE = 0.2  # of the places, kept for spectra barely right if many are wrong


def choose(predictions: pd.DataFrame, num: int) -> pd.DataFrame:
    """At most `num` rows of predictions.parquet, in the order of the browser, with three columns more.

    `wrong`; `confidence`, the probability of the predicted class; `margin`, between the two most probable classes.
    First come the wrong ones, the most confident first, taken from each true class in turn so that a common class
    does not crowd out a rare one; then the right ones with the least margin.
    """
    rows = _judged(predictions)
    wrong = rows[rows["wrong"]].sort_values("confidence", ascending=False, kind="stable")
    right = rows[~rows["wrong"]].sort_values("margin", kind="stable")
    num_right = min(len(right), max(num - len(wrong), round(RIGHT_SHARE * num)))
    turn = wrong.groupby("label", observed=True).cumcount()
    taken = turn.sort_values(kind="stable").index[: num - num_right]
    return pd.concat([wrong[wrong.index.isin(taken)], right[:num_right]])


def _judged(predictions: pd.DataFrame) -> pd.DataFrame:
    """Labelled rows with `wrong`, `confidence` and `margin`."""
    rows = predictions[predictions["label"].notna()].reset_index(drop=True)
    names = probability_columns(rows)
    probability = rows[names].to_numpy(np.float64)
    predicted = pd.Index(names).get_indexer(pd.Index(PROBABILITY + rows["predicted"].astype(str)))
    ordered = np.sort(probability, axis=1)
    return rows.assign(
        wrong=rows["label"].astype(str) != rows["predicted"].astype(str),
        confidence=probability[np.arange(len(rows)), predicted],
        margin=ordered[:, -1] - ordered[:, -2] if len(names) > 1 else 1.0,
    )


def probability_columns(predictions: pd.DataFrame) -> list[str]:
    """probability/<class>, in class order."""
    return [name for name in map(str, predictions.columns) if name.startswith(PROBABILITY)]
