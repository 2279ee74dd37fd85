"""Packing: from a reader to a survey on disk, once, in parallel, resumable and locked. See docs/packing.md."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from spectral.configs.data import DataConfig
from spectral.data.packing.plan import packing_settings
from spectral.data.packing.shards import check_shards
from spectral.data.packing.staging import cached_plans, locked
from spectral.data.packing.steps import Packing
from spectral.data.packing.stored_plan import plan_now
from spectral.data.packing.workers import lean_tables
from spectral.data.readers.contract import Reader
from spectral.errors import UserError
from spectral.files import space_errors
from spectral.survey import Survey, is_pack


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
    settings = packing_settings(reader, config)
    digest = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=6)
    folder = Path(cache_dir) / f"{config.name}-{digest.hexdigest()}"
    if is_pack(folder):
        return folder
    # Earlier versions named a pack by settings that say the same in other words. It stays, the fresh one of several.
    plans = {there: plan_now(plan) for there, plan in cached_plans(Path(cache_dir), config.name)}
    same = {there: plan for there, plan in plans.items() if plan.get("settings") == settings}
    return min(same, key=lambda there: same[there].get("source") != reader.fingerprint(), default=folder)


def pack(
    reader: Reader, config: DataConfig, folder: Path | str, progress: bool = True, *, is_cache: bool = False
) -> Survey:
    """Pack a reader's survey into a folder, unless that same survey is in it already.

    A pack of another state of the source is replaced, and the splits saved in it stay; so is one that is damaged. Jobs
    that have it mapped keep the old one. If packing was stopped, the same call resumes with the parts that are whole.

    Args:
        is_cache: the folder is one of our own naming, so that it may be replaced even if it does not say what it holds.

    Raises:
        UserError: the data is not as the options allow, the folder holds something else, or the disk is full.
    """
    folder = Path(folder).absolute()
    with space_errors(folder), locked(folder), lean_tables():
        packing = Packing(reader, config, folder, progress, is_cache)
        if (survey := packing.packed()) is not None:
            return survey
        packing.read_catalog()
        packing.begin()
        packing.make_parts()
        return packing.join()


def pack_shards(
    reader: Reader, config: DataConfig, folder: Path | str, num_shards: int, make: Callable[[Packing], None]
) -> Survey | None:
    """Pack as `pack` does, with parts that several processes make. Who finds all of them made joins them.

    The lock is held while the parts are begun and while they are joined, not between.

    Args:
        make: makes the parts of a shard here, or those of all by jobs.

    Returns:
        None if parts of other shards are missing.

    Raises:
        UserError: as `pack`; also for more shards than spectra.
    """
    folder = Path(folder).absolute()
    with space_errors(folder), lean_tables():
        packing = Packing(reader, config, folder)
        packing.read_catalog()
        check_shards(num_shards, packing.num_spectra)
        with locked(folder):
            if (survey := packing.packed()) is not None:
                return survey
            packing.begin()
        make(packing)
        with locked(folder):
            if packing.building.is_begun():
                return None if packing.missing() else packing.join()
            if (survey := packing.packed()) is not None:
                return survey
    raise UserError(f"parts of {folder} are gone: its source or its options have changed; give the command again.")
