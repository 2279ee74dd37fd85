"""The steps of packing one survey, in the order in which packing calls them."""

import hashlib
import logging
import math
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from spectral.cli.progress import SpectraProgress
from spectral.configs.data import DataConfig
from spectral.data.packing.baseline import without_baseline
from spectral.data.packing.catalog import (
    checked_catalog,
    class_names_of,
    count_reasons,
    entries_digest,
    kept_entries,
    of_given_classes,
    skipped_entries,
)
from spectral.data.packing.class_names import warn_of_missing_words, warn_of_names_alike
from spectral.data.packing.gridded import on_grid
from spectral.data.packing.limit import LimitedReader, limited, limited_rows
from spectral.data.packing.merge import Contents, contents_of, write_array
from spectral.data.packing.parts import PartJob, Span, cut, finished_spans, missing_spans, num_rows
from spectral.data.packing.plan import BASELINE, plan_of, usable_pack
from spectral.data.packing.probe import probed
from spectral.data.packing.row_checks import Rules
from spectral.data.packing.shards import shard_of
from spectral.data.packing.staging import Building
from spectral.data.packing.workers import make_parts
from spectral.data.readers.columns import NUMBERED
from spectral.data.readers.contract import Reader
from spectral.errors import UserError
from spectral.files import write_json, write_parquet
from spectral.survey import FORMAT, Survey, file_record, is_pack

log = logging.getLogger(__name__)

DTYPES = {"ivar": "float32", "mask": "bool"}


class Packing:
    """A survey on its way into a folder.

    Args:
        progress: show a bar, or lines where there is no terminal.
        is_cache: the folder is one of our own naming.
    """

    def __init__(
        self, reader: Reader, config: DataConfig, folder: Path, progress: bool = True, is_cache: bool = False
    ) -> None:
        self.reader = without_baseline(on_grid(reader, config.grid), config.baseline)
        self.config, self.folder = config, folder
        self.progress, self.is_cache = progress, is_cache
        self.plan = plan_of(self.reader, config)
        self.building = Building(folder, self.plan)
        self.wave_angstrom = self.reader.wave_angstrom()
        self.wave_unit: str | None = getattr(self.reader, "wave_unit", None)
        self.wave_medium: str | None = getattr(self.reader, "wave_medium", None)

    def packed(self) -> Survey | None:
        """The survey, if it is in the folder already; then nothing is left of its making. The lock is held."""
        survey = usable_pack(self.folder, self.plan, self.is_cache)
        if survey is not None:
            self.building.remove()
        return survey

    def read_catalog(self) -> None:
        """Read the catalog and find the classes. Before the long part: an unlisted label is found at once."""
        listed, self.others = of_given_classes(
            checked_catalog(self.reader.catalog()), self.config.class_names, self.config.on_bad
        )
        if len(self.others):
            self.reader = LimitedReader(self.reader, listed.index.to_numpy(np.int64))
        self.catalog = listed.reset_index(drop=True)
        if self.config.limit and self.config.limit < len(self.catalog):
            rows = limited_rows(self.catalog["label"], self.config.limit, self.config.limit_draw)
            log.info("Using %s of %s spectra (data.limit).", f"{len(rows):,}", f"{len(self.catalog):,}")
            self.reader, self.catalog = LimitedReader(self.reader, rows), limited(self.catalog, rows)
        # If the system did not give out a file, rows mean other spectra once it does: no part is made of both.
        if unread := getattr(self.reader, "unread_files", ""):
            self.building = Building(self.folder, self.plan | {"unread_files": unread})
        found = self._class_names_of(self.catalog["label"])  # a class that is named twice is found now
        if self.config.class_names is None:
            warn_of_names_alike(found)
            warn_of_missing_words(self.catalog["label"])

    def _class_names_of(self, labels: pd.Series) -> list[str]:
        return class_names_of(labels, self.config.class_names, getattr(self.reader, "class_names", None))

    def begin(self) -> None:
        """Make the folder of the parts, or find it with those that are finished. The lock is held."""
        self.building.begin()

    @cached_property
    def rules(self) -> Rules:
        """What a spectrum must be, found by a look at some of them."""
        return probed(self.reader, self.config, self.num_spectra).rules

    @property
    def num_spectra(self) -> int:
        return len(self.catalog)

    @property
    def num_parts(self) -> int:
        return math.ceil(self.num_spectra / self.config.rows_per_part)

    def num_done(self) -> int:
        """Spectra whose parts are finished."""
        return num_rows(finished_spans(self.building.parts))

    def missing(self, num_shards: int = 1, shard: int | None = None) -> list[Span]:
        """The parts that are not there yet, or those of a shard. None is if all were put together before."""
        rows = self._rows_of(num_shards, shard)
        if rows is None or is_pack(self.building.pack):
            return []
        return missing_spans(finished_spans(self.building.parts), rows, self.config.rows_per_part)

    def _rows_of(self, num_shards: int, shard: int | None) -> Span | None:
        """The rows of a shard; None if it has none."""
        spans = shard_of(list(cut([(0, self.num_spectra)], self.config.rows_per_part)), num_shards, shard)
        return (spans[0][0], spans[-1][1]) if spans else None

    def make_parts(self, num_shards: int = 1, shard: int | None = None) -> None:
        """Make the parts that are not there yet, or those of a shard: in one process then, without data.num_workers."""
        missing, rows = self.missing(num_shards, shard), self._rows_of(num_shards, shard)
        if not missing or rows is None:
            return
        num_left, num_own = num_rows(missing), num_rows([rows])
        log.info("Packing %s spectra into %s.", f"{num_own:,}", self.folder)
        if num_left < num_own:
            log.info("Resuming: %s of them were packed before.", f"{num_own - num_left:,}")
        job = PartJob(self.reader, self.rules, self.config.on_bad, self.building.parts)
        num_workers = self.config.num_workers or (None if shard is None else 1)
        with SpectraProgress("packing", "Packed", num_own, num_own - num_left, self.progress) as progress:
            for span in make_parts(job, missing, self.catalog["id"].tolist(), num_workers):
                progress.advance(num_rows([span]))

    def join(self) -> Survey:
        """Put the parts together, and the pack in its place. The lock is held."""
        if not is_pack(self.building.pack):
            parts = self.building.parts
            spans = finished_spans(parts)
            contents = contents_of(parts, spans, self.rules.num_channels, self.rules.grid_length)
            skipped = self._report_skipped(contents)
            _log_no_ivar(contents)
            self._write_pack(contents, skipped, spans)
        self.building.install()
        return Survey.open(self.folder)

    def _report_skipped(self, contents: Contents) -> pd.DataFrame:
        bad, num_all = skipped_entries(self.catalog, contents), f"{self.num_spectra + len(self.others):,}"
        skipped = pd.concat([self.others, bad], ignore_index=True)
        for reason, num in count_reasons(skipped).items():
            log.warning("Left out %s of %s spectra: %s.", f"{num:,}", num_all, reason)
        if not len(contents.rows):
            raise UserError(f"All {num_all} spectra were left out, the first because: {skipped['reason'][0]}.")
        return skipped

    def _write_pack(self, contents: Contents, skipped: pd.DataFrame, spans: list[Span]) -> None:
        """The files of a pack, survey.json last."""
        pack, parts = self.building.pack, self.building.parts
        digest = hashlib.blake2b(digest_size=16)
        for name in contents.shapes:
            dtype = DTYPES.get(name, self.config.dtype)
            digest.update(write_array(pack / f"{name}.npy", name, contents, dtype, parts, spans))
        class_names = self._class_names_of(self.catalog["label"].iloc[contents.rows])
        kept = kept_entries(self.catalog, contents, class_names)
        digest.update(entries_digest(kept, class_names))
        # Earlier versions did not count the wavelengths, nor masked by inverse variance.
        former = None if contents.num_no_ivar.any() else digest.hexdigest()
        if self.wave_angstrom is not None:
            digest.update(np.asarray(self.wave_angstrom, np.float64).tobytes())
        write_parquet(pack / "catalog.parquet", kept)
        write_parquet(pack / "skipped.parquet", skipped)
        wave = self.wave_angstrom
        about = {
            "format": FORMAT,
            "fingerprint": digest.hexdigest(),
            "former_fingerprint": former,
            "class_names": class_names,
            "wave_angstrom": None if wave is None else np.asarray(wave, np.float64).tolist(),
            "wave_unit": self.wave_unit,
            "wave_medium": self.wave_medium,
            BASELINE: self.config.baseline.used,
            "num_spectra": len(contents.rows),
            "num_pixels_without_ivar": int(contents.num_no_ivar.sum()),
            NUMBERED: bool(self.catalog.attrs.get(NUMBERED, False)),
            "files": {path.name: file_record(path) for path in sorted(pack.iterdir()) if path.is_file()},
            "skipped": count_reasons(skipped),
            "plan": self.plan,
        }
        write_json(pack / "survey.json", about)


def _log_no_ivar(contents: Contents) -> None:
    num = int(contents.num_no_ivar.sum())
    if num:
        log.info(
            "%s pixels (%.2g %%) in %s spectra have no inverse variance above 0 and are masked (data.ivar_masks).",
            f"{num:,}",
            100 * num / int(contents.lengths.sum()),
            f"{int((contents.num_no_ivar > 0).sum()):,}",
        )
