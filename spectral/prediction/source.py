"""The data of a command: its spectra as blocks, and its catalog as tables."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spectral.configs.data import DataConfig, PackedConfig, readers
from spectral.data.packing.baseline import without_baseline
from spectral.data.packing.catalog import OWN, with_text
from spectral.data.packing.gridded import on_grid
from spectral.data.packing.like_run import LengthCheckedReader, like_run
from spectral.data.packing.limit import LimitedReader, limited, limited_rows
from spectral.data.packing.plan import packing_settings
from spectral.data.packing.probe import probed
from spectral.data.readers.columns import set_apart
from spectral.data.readers.contract import Reader
from spectral.data.readers.fingerprints import join_stamps
from spectral.data.readers.paths import existing_folder
from spectral.errors import UserError
from spectral.inference.classifier import Classifier
from spectral.prediction.blocks import Blocks, PackBlocks, ReaderBlocks
from spectral.survey import Survey

log = logging.getLogger(__name__)

ROWS_PER_TABLE = 8192
LIGHT = ["class_index", "length"]  # of a pack's catalog: what checks that its files fit together, and the run


@dataclass
class Source:
    """Spectra and their catalog.

    Args:
        tables: gives the catalog, one row per spectrum, in tables of some rows: `id` as text, `label`, and others.
        left_out: of a pack, reason -> number of spectra that packing left out, which have no row.
    """

    blocks: Blocks
    tables: Callable[[], Iterator[pa.Table]]
    left_out: Mapping[str, int] = field(default_factory=dict)


def open_source(config: Any, classifier: Classifier, run: str, cache_dir: Path, out: Path) -> Source:
    """The data of a typed config. It is made like the spectra of the run as far as it says nothing else, see like_run.

    Args:
        run: the run, as the sentences name it.
        out: the file that will be written.

    Raises:
        UserError: the data is not there, holds no spectra, none of those tried can be read, or `out` would change it.
    """
    if isinstance(config, PackedConfig):
        survey = Survey.open(existing_folder(config.folder, "data.folder"), LIGHT)
        blocks = PackBlocks(survey, classifier.length)
        return Source(blocks, lambda: _tables_of_file(blocks.folder / "catalog.parquet"), survey.skipped)
    reader: Reader = readers.build(config, cache_dir=cache_dir)
    change_by: Callable[[Path], str] | None = getattr(reader, "change_by", None)
    if change_by is not None and (change := change_by(out)):
        raise UserError(f"out={out} is not allowed among the files of data.folder={config.folder}, where it {change}.")
    return _of_reader(reader, config, classifier, run)


def _of_reader(own: Reader, config: DataConfig, classifier: Classifier, run: str) -> Source:
    config = like_run(config, own, classifier.spectra(run))
    reader = without_baseline(on_grid(own, config.grid), config.baseline)
    settings, (num_rows, tables) = packing_settings(reader, config), _listed(own)
    fingerprint = _fingerprint(reader)
    if config.limit and config.limit < num_rows:
        catalog = _apart(own.catalog())
        rows = limited_rows(catalog["label"], config.limit, config.limit_draw)
        log.info("Using %s of %s spectra (data.limit).", f"{len(rows):,}", f"{num_rows:,}")
        chosen, num_rows = limited(catalog, rows), len(rows)
        reader, tables = LimitedReader(reader, rows), lambda: _slices(chosen)
    if not num_rows:
        raise UserError("The survey holds no spectra.")
    is_slow = getattr(own, "reads_slowly", False) or reader is not own
    if config.ragged == "pad" and reader.wave_angstrom() is None:
        reader = LengthCheckedReader(reader, classifier.length)
    probe = probed(reader, config, num_rows)
    blocks = ReaderBlocks(reader, probe.rules, probe.has_ivar, fingerprint, settings, is_slow, config.baseline.used)
    return Source(blocks, tables)


def _fingerprint(reader: Reader) -> str:
    """Of what was listed: once the system gives out a file that it did not, rows may mean other spectra."""
    unread: str = getattr(reader, "unread_files", "")
    return join_stamps([reader.fingerprint(), unread]) if unread else reader.fingerprint()


def _listed(reader: Reader) -> tuple[int, Callable[[], Iterator[pa.Table]]]:
    """The number of rows of a reader's catalog, and the catalog in tables; as a whole in memory only if need be."""
    rows_of: Callable[[range], pd.DataFrame] | None = getattr(reader, "catalog_rows", None)
    if rows_of is None:
        catalog = reader.catalog()
        return len(catalog), lambda: _slices(_apart(catalog))
    num_rows: int = reader.num_rows()  # type: ignore[attr-defined]  # the two methods come together
    spans = [range(at, min(at + ROWS_PER_TABLE, num_rows)) for at in range(0, num_rows, ROWS_PER_TABLE)]
    return num_rows, lambda: (pa.Table.from_pandas(_apart(rows_of(span)), preserve_index=False) for span in spans)


def _apart(catalog: pd.DataFrame) -> pd.DataFrame:
    """A reader's catalog under the names that a pack would give its columns."""
    return set_apart(with_text(catalog), OWN)


def _slices(catalog: pd.DataFrame) -> Iterator[pa.Table]:
    schema = pa.Schema.from_pandas(catalog, preserve_index=False)
    for start in range(0, len(catalog), ROWS_PER_TABLE):
        rows = catalog.iloc[start : start + ROWS_PER_TABLE]
        yield pa.Table.from_pandas(rows, schema, preserve_index=False)


def _tables_of_file(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_PER_TABLE):
            yield pa.Table.from_batches([batch])
