"""Packing: from a reader to a survey on disk, once, in parallel, resumable and locked. See docs/packing.md."""

import hashlib
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spectral.configs.data import DataConfig
from spectral.data.packing.catalog import (
    checked_catalog,
    class_names_of,
    count_reasons,
    entries_digest,
    kept_entries,
    skipped_entries,
)
from spectral.data.packing.gridded import on_grid
from spectral.data.packing.limit import LimitedReader, limited, limited_rows
from spectral.data.packing.merge import Contents, contents_of, write_array
from spectral.data.packing.parts import PartJob, Span, finished_spans, missing_spans
from spectral.data.packing.probe import probed
from spectral.data.packing.progress import counted
from spectral.data.packing.row_checks import Rules
from spectral.data.packing.staging import Building, locked
from spectral.data.packing.workers import lean_tables, make_parts
from spectral.data.readers.columns import NUMBERED
from spectral.data.readers.contract import Reader
from spectral.errors import UserError
from spectral.files import space_errors, write_json, write_parquet
from spectral.survey import FORMAT, Survey, file_record, is_pack, read_about

log = logging.getLogger(__name__)

SHAPING = ("dtype", "class_names", "on_bad", "nan", "ivar_masks", "ragged")  # what the content of a pack depends on
LIMITS = ("limit", "limit_draw")  # also, where there is a limit
GRID = "grid"  # also, where there is one
DTYPES = {"ivar": "float32", "mask": "bool"}


def open_or_pack(reader: Reader | Survey, config: DataConfig, cache_dir: Path | str, progress: bool = True) -> Survey:
    """The survey of a reader, packed in `cache_dir` unless it is there and its source is unchanged.

    Args:
        reader: what the registry of readers built; a survey packed ahead of time is given back as it is.
        progress: show a bar, or lines where there is no terminal.

    Raises:
        UserError: as `pack` does.
    """
    if isinstance(reader, Survey):
        return reader
    return pack(reader, config, cache_folder(reader, config, cache_dir), progress, is_cache=True)


def cache_folder(reader: Reader, config: DataConfig, cache_dir: Path | str) -> Path:
    """Where in a cache the survey of a reader is packed, whatever state its source is in."""
    digest = hashlib.blake2b(json.dumps(packing_settings(reader, config), sort_keys=True).encode(), digest_size=6)
    return Path(cache_dir) / f"{config.name}-{digest.hexdigest()}"


def pack(
    reader: Reader, config: DataConfig, folder: Path | str, progress: bool = True, *, is_cache: bool = False
) -> Survey:
    """Pack a reader's survey into a folder, unless that same survey is in it already.

    A pack of another state of the source is replaced, and the splits saved in it stay; so is one that is damaged. Jobs
    that have it mapped go on. If packing was stopped, the same call resumes from the parts that were finished.

    Args:
        is_cache: the folder is one of our own naming, so that it may be replaced even if it does not say what it holds.

    Raises:
        UserError: the data is not as the options allow, the folder holds something else, or the disk is full.
    """
    folder = Path(folder).absolute()
    reader = on_grid(reader, config.grid)
    with space_errors(folder), locked(folder), lean_tables():
        plan = {"format": FORMAT, "source": reader.fingerprint(), "settings": packing_settings(reader, config)}
        building = Building(folder)
        if (survey := _usable(folder, plan, is_cache)) is not None:
            building.remove()
            return survey
        _Packing(reader, config, building, progress).run(plan)
        return Survey.open(folder)


def _usable(folder: Path, plan: dict[str, Any], is_cache: bool) -> Survey | None:
    """The survey packed in a folder under the same plan, if it is whole; None if it is to be packed again."""
    try:
        about = read_about(folder)
    except UserError as error:
        if not is_cache:
            raise
        log.warning("%s Packing it again.", error)
        return None
    if about is None:
        return None
    if about.get("plan") != plan:
        _check_replaceable(folder, about.get("plan") or {}, plan)
        return None
    try:
        return Survey.open(folder)
    except UserError as error:
        log.warning("%s Packing it again.", error)
        return None


def _check_replaceable(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """A pack may give way to another state of its own source, or other packing options; to no other survey."""
    before, now = old.get("settings") or {}, new["settings"]
    own = [key for key in {**now, **before} if key not in (*SHAPING, *LIMITS, GRID)]
    differing = [key for key in own if before.get(key) != now.get(key)]
    if differing:
        key = differing[0]
        raise UserError(
            f"{folder} holds another survey: it was packed with {key}={before.get(key)}, this one has "
            f"{key}={now.get(key)}; give another folder, or delete that one."
        )
    log.info("%s holds an older state of this survey, or other packing options: packing it again.", folder)


def packing_settings(reader: Reader, config: DataConfig) -> dict[str, Any]:
    """What decides over the content of a pack, as JSON values."""
    packing = {name: getattr(config, name) for name in SHAPING + (LIMITS if config.limit else ())}
    if config.grid.kind != "native":
        packing[GRID] = asdict(config.grid)
    settings: dict[str, Any] = json.loads(json.dumps({"reader": config.name, **packing, **reader.settings()}))
    return settings


class _Packing:
    """The steps of packing one survey, in the order in which `run` calls them."""

    def __init__(self, reader: Reader, config: DataConfig, building: Building, progress: bool) -> None:
        self.reader, self.config, self.building, self.progress = reader, config, building, progress
        self.wave_angstrom = reader.wave_angstrom()
        self.wave_unit: str | None = getattr(reader, "wave_unit", None)
        self.wave_medium: str | None = getattr(reader, "wave_medium", None)

    def run(self, plan: dict[str, Any]) -> None:
        catalog = checked_catalog(self.reader.catalog())
        if self.config.limit and self.config.limit < len(catalog):
            rows = limited_rows(catalog["label"], self.config.limit, self.config.limit_draw)
            log.info("Using %s of %s spectra (data.limit).", f"{len(rows):,}", f"{len(catalog):,}")
            self.reader, catalog = LimitedReader(self.reader, rows), limited(catalog, rows)
        # Before the long part: an unlisted label is found at once.
        class_names = class_names_of(
            catalog["label"], self.config.class_names, getattr(self.reader, "class_names", None)
        )
        self.building.begin(plan)
        if not is_pack(self.building.pack):
            rules = probed(self.reader, self.config, len(catalog)).rules
            spans = self.make_parts(catalog, rules)
            contents = contents_of(self.building.parts, spans, rules.num_channels, rules.grid_length)
            skipped = self.report_skipped(catalog, contents)
            _log_no_ivar(contents)
            self.write_pack(plan, catalog, class_names, contents, skipped, spans)
        self.building.install()

    def make_parts(self, catalog: pd.DataFrame, rules: Rules) -> list[Span]:
        """Make the parts that are not there yet; returns the spans of all."""
        parts = self.building.parts
        missing = missing_spans(finished_spans(parts), len(catalog), self.config.rows_per_part)
        num_left = sum(stop - start for start, stop in missing)
        log.info("Packing %s spectra into %s.", f"{len(catalog):,}", self.building.folder)
        if num_left < len(catalog):
            log.info("Going on: %s of them were packed before.", f"{len(catalog) - num_left:,}")
        job = PartJob(self.reader, rules, self.config.on_bad, parts)
        finished = make_parts(job, missing, catalog["id"].tolist(), self.config.num_workers)
        for _ in counted(finished, len(catalog) - num_left, len(catalog), self.progress):
            pass
        return finished_spans(parts)

    def report_skipped(self, catalog: pd.DataFrame, contents: Contents) -> pd.DataFrame:
        skipped = skipped_entries(catalog, contents)
        for reason, num in count_reasons(skipped).items():
            log.warning("Left out %s of %s spectra: %s.", f"{num:,}", f"{len(catalog):,}", reason)
        if not len(contents.rows):
            raise UserError(f"All {len(catalog):,} spectra were left out, the first because: {skipped['reason'][0]}.")
        return skipped

    def write_pack(
        self,
        plan: dict[str, Any],
        catalog: pd.DataFrame,
        class_names: list[str],
        contents: Contents,
        skipped: pd.DataFrame,
        spans: list[Span],
    ) -> None:
        """The files of a pack, survey.json last."""
        pack, parts = self.building.pack, self.building.parts
        digest = hashlib.blake2b(digest_size=16)
        for name in contents.shapes:
            dtype = DTYPES.get(name, self.config.dtype)
            digest.update(write_array(pack / f"{name}.npy", name, contents, dtype, parts, spans))
        kept = kept_entries(catalog, contents, class_names)
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
            "num_spectra": len(contents.rows),
            "num_pixels_without_ivar": int(contents.num_no_ivar.sum()),
            NUMBERED: bool(catalog.attrs.get(NUMBERED, False)),
            "files": {path.name: file_record(path) for path in sorted(pack.iterdir()) if path.is_file()},
            "skipped": count_reasons(skipped),
            "plan": plan,
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
