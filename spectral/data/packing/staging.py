"""Where a pack is while it is being made, and how it takes its place.

Next to the pack `NAME` are `.NAME.lock` and, until it is finished, the folder `.NAME.building` with `plan.json` (what
is packed and how), `parts-<digest of the plan>/`, `pack/` (the result, moved to its place as a whole) and `old/` (what
was there before).
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from spectral.data.packing.stored_plan import plan_now
from spectral.data.packing.workers import end_if_importing_main
from spectral.data.readers.columns import NUMBERED
from spectral.data.splits.saved import locked_splits, splits_folder
from spectral.errors import UserError
from spectral.files import write_json
from spectral.survey import Survey, is_pack, read_about

ROWS_COMPARED = 512  # in memory at a time

log = logging.getLogger(__name__)


@contextmanager
def locked(path: Path, doing: str = "packs") -> Iterator[None]:
    """Let one process at a time make or replace a pack, or another file; the others wait, and say what it does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.parent / f".{path.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        end_if_importing_main()
        log.info("Another process %s %s: waiting for it.", doing, path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class Building:
    """A pack in the making. Only the process that holds the lock uses it; without it, others make parts.

    Args:
        folder: where the pack will be.
        plan: all that decides over its content, as JSON values. Parts of another plan are in a folder of another name,
            so that a process that still makes some does no harm.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        self.folder, self.root = folder, folder.parent / f".{folder.name}.building"
        begun = _json(self.root / "plan.json")
        self.plan = begun if plan_now(begun) == plan else plan  # its parts are named by what an earlier version wrote
        digest = hashlib.blake2b(json.dumps(self.plan, sort_keys=True).encode(), digest_size=6).hexdigest()
        self.parts, self.pack, self._old = self.root / f"parts-{digest}", self.root / "pack", self.root / "old"

    def is_begun(self) -> bool:
        """Whether the parts of this plan are what is being made."""
        return bool(_json(self.root / "plan.json") == self.plan)

    def begin(self) -> None:
        """Resume what was begun under the same plan, or begin again.

        Raises:
            UserError: the folder is a file, or holds something that is no pack.
        """
        if self.folder.is_file():
            raise UserError(f"{self.folder} is a file, and a pack is a folder: choose another name.")
        if self._old.exists() and not self.folder.exists():
            self._old.rename(self.folder)  # stopped between the two moves of `install`
        if self.folder.is_dir() and any(self.folder.iterdir()) and not is_pack(self.folder):
            raise UserError(f"{self.folder} is not empty and holds no packed survey: choose another folder.")
        if not self.is_begun():
            shutil.rmtree(self.root, ignore_errors=True)
            self.parts.mkdir(parents=True)
            write_json(self.root / "plan.json", self.plan)
        if not is_pack(self.pack):
            shutil.rmtree(self.pack, ignore_errors=True)
            self.pack.mkdir()

    def install(self) -> None:
        """Put the finished pack in its place. The splits saved with an older one go with it, if its ids still mean
        the same spectra.

        Files of an older pack are unlinked, never overwritten: who has them mapped keeps them.
        """
        if self.folder.exists():
            with locked_splits(self.folder):
                if _same_ids(self.folder, self.pack):
                    shutil.copytree(splits_folder(self.folder), splits_folder(self.pack), dirs_exist_ok=True)
                elif any(splits_folder(self.folder).glob("*.parquet")):
                    log.warning(
                        "The spectra of %s have no ids of their own, and those of some rows have changed: its saved "
                        "splits are dropped and made again.",
                        self.folder,
                    )
                self.folder.rename(self._old)
                self.pack.rename(self.folder)
        else:
            self.pack.rename(self.folder)
        self.remove()

    def remove(self) -> None:
        """Remove what is no longer needed: a process may have been killed before it came to this."""
        shutil.rmtree(self.root, ignore_errors=True)


def cached_plans(cache_dir: Path, reader: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folders of a reader's packs in a cache, and their plans: those that are whole, and those that are begun."""
    for path in sorted(cache_dir.glob(f"{reader}-*/survey.json")):
        about = _json(path)
        if isinstance(about, dict) and isinstance(about.get("plan"), dict):
            yield path.parent, about["plan"]
    for path in sorted(cache_dir.glob(f".{reader}-*.building/plan.json")):
        if isinstance(plan := _json(path), dict):
            yield cache_dir / path.parent.name.removeprefix(".").removesuffix(".building"), plan


def _same_ids(old: Path, new: Path) -> bool:
    """Whether an id means the same spectrum in two packs. A row number does if label and flux are the same."""
    if not any(map(_is_numbered, (old, new))):
        return True
    try:
        before, now = Survey.open(old), Survey.open(new)
    except UserError:  # the old one is damaged: nobody can say
        return False
    rows = pd.Index(now.catalog["id"]).get_indexer(pd.Index(before.catalog["id"]))
    mine, theirs = np.flatnonzero(rows >= 0), rows[rows >= 0]
    labels = [survey.catalog["label"].fillna("").to_numpy() for survey in (before, now)]
    if before.flux.shape[1:] != now.flux.shape[1:] or (labels[0][mine] != labels[1][theirs]).any():
        return False
    blocks = range(0, len(mine), ROWS_COMPARED)
    parts = ((mine[at : at + ROWS_COMPARED], theirs[at : at + ROWS_COMPARED]) for at in blocks)
    return all(np.array_equal(before.flux[a], now.flux[b]) for a, b in parts)


def _is_numbered(pack: Path) -> bool:
    """Whether the ids of a pack are row numbers, as far as it says: one whose survey.json is damaged does not."""
    try:
        return bool((read_about(pack) or {}).get(NUMBERED))
    except UserError:
        return False


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):  # half a file is as good as none
        return None
