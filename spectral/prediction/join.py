"""From parts to one file, a part in memory at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from spectral.data.packing.catalog import count_reasons
from spectral.files import writing
from spectral.prediction.columns import Columns
from spectral.prediction.deciding import Deciding
from spectral.prediction.work import Work
from spectral.prediction.writers import open_writer
from spectral.scoring.metrics import Floats

MOST_ESTIMATED_FROM = 1_000_000  # spectra, evenly spread: a share of 0.5 % is then known to 0.014 % of cases (2 sigma)


def join(work: Work, kind: str, columns: Columns, deciding: Deciding, about: Mapping[str, str]) -> dict[str, Any]:
    """Write the file of a finished work.

    Args:
        kind: its format.
        about: where the predictions come from, for the file's header.

    Returns:
        Counts of its rows, as JSON values.
    """

    def tables() -> Iterator[pa.Table]:
        for span, catalog in zip(work.spans, work.catalog(columns.of_catalog), strict=True):
            yield columns.table(work.read(span), catalog, deciding)

    by_class: Counter[str] = Counter()
    num_rejected = 0
    with writing(work.out) as file, open_writer(kind, file, columns.schema, about, tables()) as writer:
        for table in tables():
            writer.write(table)
            by_class.update(value for value in table["predicted"].to_pylist() if value is not None)
            num_rejected += sum(table["rejected"].to_pylist()) if "rejected" in table.column_names else 0
    return {
        "num_rows": work.num_rows,
        "num_predicted": by_class.total(),
        "num_by_class": {name: by_class[name] for name in columns.class_names},
        "num_rejected": num_rejected if "rejected" in columns.schema.names else None,
        "skipped": skipped(work),
    }


def skipped(work: Work) -> dict[str, int]:
    """How many spectra could not be classified for which reason, the most frequent first."""
    reasons: Counter[str] = Counter()
    for span, catalog in zip(work.spans, work.catalog(["id"]), strict=True):
        problems = work.read(span).problems
        ids = catalog["id"].to_pandas().iloc[[*problems]]
        reasons.update(count_reasons(pd.DataFrame({"id": ids.to_numpy(), "reason": [*problems.values()]})))
    return dict(reasons.most_common())


def probabilities_of(work: Work) -> Floats:
    """The probabilities [n, K] of a finished work's spectra, of at most a million, evenly spread."""
    step = -(-work.num_rows // MOST_ESTIMATED_FROM)
    parts = (work.read(span).probabilities[-span[0] % step :: step] for span in work.spans)
    found = np.concatenate([part[~np.isnan(part[:, 0])].astype(np.float32) for part in parts])
    return found.astype(np.float32)
