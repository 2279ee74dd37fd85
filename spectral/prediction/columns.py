"""The columns of a catalog of predictions."""

from typing import Any

import numpy as np
import pyarrow as pa

from spectral.configs.commands import PredictConfig
from spectral.data.readers.columns import names_apart
from spectral.errors import UserError, nearest
from spectral.prediction.deciding import Deciding
from spectral.prediction.work import Part

SHORT = ("csv", "contest")  # formats without probabilities


class Columns:
    """Makes the table of a part.

    Args:
        kind: csv, probabilities, contest, parquet or fits.
        there: the columns of the data's catalog.

    Raises:
        UserError: the data has no column that is to be kept.
    """

    def __init__(self, kind: str, command: PredictConfig, there: pa.Schema, class_names: list[str]) -> None:
        has_threshold = command.reject is not None or command.reject_below is not None
        self.class_names, text = class_names, pa.string()
        fields = [("id", text), ("predicted", text)]
        if kind not in SHORT:
            fields += [(f"probability/{name}", pa.float32()) for name in class_names] + [("entropy", pa.float32())]
        fields += [("rejected", pa.bool_())] if has_threshold else []
        fields += [("problem", text)] if kind != "contest" else []
        self.kept = kept_columns(command.keep_columns, there.names, [name for name, _ in fields])
        kept = [there.field(name).with_name(shown) for shown, name in self.kept.items()]
        self.schema = pa.schema([pa.field(*field) for field in fields] + kept)
        self.of_catalog = ["id", *self.kept.values()]

    def table(self, part: Part, catalog: pa.Table, deciding: Deciding) -> pa.Table:
        """The rows of a part.

        Args:
            catalog: columns `of_catalog` of the same rows.
        """
        num = len(catalog)
        good = np.setdiff1d(np.arange(num), [*part.problems])
        found = deciding(part.probabilities[good])
        names = np.asarray(self.class_names, dtype=object)
        probabilities = np.full((num, len(names)), np.nan, np.float32)
        probabilities[good] = found.probabilities
        columns: dict[str, Any] = {f"probability/{name}": probabilities[:, k] for k, name in enumerate(names)}
        columns["predicted"] = _spread(names[found.classes], good, num, None)
        columns["entropy"] = _spread(found.entropy, good, num, np.float32(np.nan))
        columns["rejected"] = _spread(found.is_rejected, good, num, True)
        columns["problem"] = [part.problems.get(position) for position in range(num)]
        of_catalog = {"id": catalog["id"], **{shown: catalog[name] for shown, name in self.kept.items()}}
        columns |= of_catalog  # last: a CSV has no entropy, so that of the data is not the one made here
        # A row without a class has no probability either: missing, where the format can say so.
        arrays = [
            pa.array(columns[field.name], field.type, from_pandas=True)
            if field.name not in of_catalog
            else columns[field.name].cast(field.type)
            for field in self.schema
        ]
        return pa.table(arrays, schema=self.schema)


def _spread(values: Any, rows: Any, num: int, missing: Any) -> Any:
    """An array of `num` with these values in some rows."""
    spread = np.full(num, missing, dtype=object if missing is None else type(missing))
    spread[rows] = values
    return spread


def kept_columns(asked: bool | str | list[str], there: list[str], written: list[str]) -> dict[str, str]:
    """The columns of the data's catalog that are written too: the name in the file, and that in the catalog.

    A column that is called as one of the file's becomes NAME_in_source. The ids are the file's own.

    Args:
        written: columns of the file already.

    Raises:
        UserError: the catalog has no such column.
    """
    apart = names_apart([name for name in there if name != "id"], written)
    others = {shown: name for name, shown in apart.items()}
    names = [*others] if asked is True else [asked] if isinstance(asked, str) else list(asked or [])
    for name in names:
        if name not in others:
            raise UserError(f"keep_columns={name} is no column that the data has besides: {nearest(name, [*others])}.")
    return {name: others[name] for name in names}
