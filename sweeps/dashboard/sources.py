"""Find the studies that the dashboard shows, again at every request."""

import logging
from dataclasses import dataclass
from pathlib import Path

from optuna.storages import BaseStorage

from sweeps.outputs import JOURNAL_FILE, places_in
from sweeps.study.find import read_journal

log = logging.getLogger(__name__)

FIRST_LINE_BYTES = 300


@dataclass(frozen=True)
class StudySource:
    """A study and its own storage.

    Args:
        local_id: of the study in that storage.
        folder: of the study; None for a study in a database.
    """

    storage: BaseStorage
    local_id: int
    folder: Path | None


class StudySources:
    """The studies in `folder` and in its `sweeps` and `runs`, and those of a database."""

    def __init__(self, folder: Path, database: BaseStorage | None) -> None:
        self._folder, self._database = folder, database
        self._opened: dict[Path, tuple[bytes, BaseStorage]] = {}
        self._unreadable: set[Path] = set()

    def find(self) -> list[StudySource]:
        """All studies that can be read now, sorted by folder name; those of the database last."""
        journals = [path for place in places_in(self._folder) for path in sorted(place.glob(f"*/{JOURNAL_FILE}"))]
        journals += sorted(self._folder.glob(JOURNAL_FILE))
        found = [source for journal in journals for source in self._of_journal(journal)]
        if self._database is not None:
            studies = self._database.get_all_studies()
            found += [StudySource(self._database, study._study_id, None) for study in studies]
        return found

    def _of_journal(self, journal: Path) -> list[StudySource]:
        try:
            storage = self._open(journal)
            return [StudySource(storage, study._study_id, journal.parent) for study in storage.get_all_studies()]
        except Exception as error:  # one journal that cannot be read must not hide the others
            self._opened.pop(journal, None)
            if journal not in self._unreadable and journal.is_file():
                self._unreadable.add(journal)
                log.warning("%s cannot be read and is left out (%s: %s).", journal, type(error).__name__, error)
            return []

    def _open(self, journal: Path) -> BaseStorage:
        """The storage of a journal, opened again if another study has replaced it."""
        with journal.open("rb") as file:
            begin = file.readline(FIRST_LINE_BYTES)
        opened = self._opened.get(journal)
        # A journal is empty until its first line is complete; that line identifies the process that made it.
        if opened is None or opened[0] != begin:
            self._opened[journal] = opened = (begin, read_journal(journal))
        return opened[1]
