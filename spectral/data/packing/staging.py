"""Where a pack is while it is being made, and how it takes its place.

Beside the pack `NAME` stand `.NAME.lock` and, until it is finished, the folder `.NAME.building` with `plan.json` (what
is packed and how), `parts/`, `pack/` (the result, moved to its place as a whole) and `old/` (what was there before).
"""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from spectral.data.splits.saved import locked_splits, splits_folder
from spectral.errors import UserError
from spectral.files import write_json
from spectral.survey import read_about

log = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time make or replace the pack `folder`; the others wait, and say so."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("Another process packs %s: waiting for it.", folder)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


class Building:
    """A pack in the making. Only the process that holds the lock uses it.

    Args:
        folder: where the pack will be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder.parent / f".{folder.name}.building"
        self.parts, self.pack, self._old = self.root / "parts", self.root / "pack", self.root / "old"

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Resume what was begun under the same plan, or begin again.

        Raises:
            UserError: the folder holds something that is no pack.
        """
        if self._old.exists() and not self.folder.exists():
            self._old.rename(self.folder)  # stopped between the two moves of `install`
        if self.folder.is_dir() and any(self.folder.iterdir()) and read_about(self.folder) is None:
            raise UserError(f"{self.folder} is not empty and holds no packed survey: choose another folder.")
        if _json(self.root / "plan.json") != plan:
            shutil.rmtree(self.root, ignore_errors=True)
            self.parts.mkdir(parents=True)
            write_json(self.root / "plan.json", plan)
        if read_about(self.pack) is None:
            shutil.rmtree(self.pack, ignore_errors=True)
            self.pack.mkdir()

    def install(self) -> None:
        """Put the finished pack in its place. The splits saved with an older one go with it.

        Files of an older pack are unlinked, never overwritten: who has them mapped keeps them.
        """
        if self.folder.exists():
            with locked_splits(self.folder):
                shutil.copytree(splits_folder(self.folder), splits_folder(self.pack), dirs_exist_ok=True)
                self.folder.rename(self._old)
                self.pack.rename(self.folder)
        else:
            self.pack.rename(self.folder)
        shutil.rmtree(self.root)


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.exists() else None
