"""Labels in a table of their own (data.labels), brought into the order of the spectra: by id, else by row."""

import logging
from collections.abc import Iterable, Mapping

import pandas as pd

from spectral.data.readers.columns import NUMBERED, POSSIBLE_IDS, as_text, check_ids, tidy_catalog
from spectral.data.readers.csv_table import read_table
from spectral.data.readers.paths import existing_file
from spectral.errors import UserError

log = logging.getLogger(__name__)


def read_labels(path: str, keys: Mapping[str, str | None]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table of labels, as it is and as `tidy_catalog` gives it; the keys are those of the catalog."""
    source = f"data.labels={path}"
    table = read_table(existing_file(path, "data.labels"), keys, source)
    return table, tidy_catalog(table, keys, source)


def stamps_of_join(own: pd.Series | None, path: str, keys: Mapping[str, str | None]) -> list[str]:
    """What the source's fingerprint gets if labels are joined by ids that no option names, such as obsid.

    Earlier versions joined such labels by row: what they packed is packed again.

    Args:
        own: ids next to the flux, as of `in_order_of_spectra`.
        path, keys: as of `read_labels`.
    """
    if own is None or str(own.name).lower() not in POSSIBLE_IDS:
        return []
    table, labels = read_labels(path, keys)
    joined = _keys(labels, table.columns, own, f"data.labels={path}", "the data", keys["id_key"])
    return [] if joined is None else ["joined by id"]


def in_order_of_spectra(
    labels: pd.DataFrame,
    columns: Iterable[str],
    own: pd.Series | None,
    num: int,
    source: str,
    spectra: str,
    id_key: str | None,
) -> pd.DataFrame:
    """The rows of a table of labels in the order of the spectra.

    Args:
        labels: as `tidy_catalog` gives them.
        columns: of the table that they were made of.
        own: ids that stand next to the flux [num], under the name that they have there; None if there are none.
        num: of spectra.
        source, spectra: option and file of the table and of the spectra, for the sentences.
        id_key: the name of ids that the user gave.

    Raises:
        UserError: the table has no ids, or lacks some of the spectra's; or it is joined by row and has too few or many.
    """
    keys = None if own is None else _keys(labels, columns, own, source, spectra, id_key)
    if own is None or keys is None:
        if len(labels) != num:
            sentence = f"{source} has {len(labels)} rows, but {spectra} has {num} spectra"
            if len(labels) == num - 1 and labels["label"].isna().all():
                sentence += f": its first line, '{','.join(columns)}', is taken for a header; if it is none, add one"
            elif len(labels) < num:
                sentence += "; blank lines are no rows: write nan for a label that is missing"
            raise UserError(f"{sentence}.")
        if own is None:
            log.info("%s is joined by row: %s has no ids.", source, spectra)
        else:
            log.warning("%s is joined by row: it has none of the ids '%s' in %s.", source, own.name, spectra)
        return labels
    missing = own[~own.isin(keys)]
    if len(missing):
        raise UserError(
            f"{source} lacks {len(missing):,} of the {num:,} ids '{own.name}' in {spectra}, the first is "
            f"'{missing.iloc[0]}': give each a row, whose label may be blank, or name other ids by "
            "data.id_key, which both files have."
        )
    log.info("%s is joined by id; %s of its rows have no spectrum.", source, f"{len(labels) - num:,}")
    joined: pd.DataFrame = labels.iloc[pd.Index(keys).get_indexer(pd.Index(own))].reset_index(drop=True)
    joined.attrs.update(labels.attrs)
    return joined


def _keys(
    labels: pd.DataFrame, columns: Iterable[str], own: pd.Series, source: str, spectra: str, id_key: str | None
) -> pd.Series | None:
    """The table's ids that are those of the spectra.

    None if these have a name that others may mean something else by, such as obsid, and the table has none of them: it
    is then joined by row.
    """
    name = str(own.name)
    column = next((column for column in columns if column.lower() == name.lower()), None)
    if column is not None and column != "id" and column in labels:  # it has other ids too, or this one twice
        keys = as_text(labels[column], f"'{column}' in {source}")
        check_ids(keys, source)
        return keys
    if column is None and name != id_key and name.lower() in POSSIBLE_IDS:
        may_be_alike = not labels.attrs[NUMBERED] and own.isin(labels["id"]).any()
        return labels["id"] if may_be_alike else None
    if labels.attrs[NUMBERED]:
        raise UserError(f"{spectra} has ids, but {source} has none: data.id_key names its column of ids.")
    return labels["id"]
