"""Find a study that was made before: by its name, by its folder, or by its name in another storage."""

from pathlib import Path

import optuna
from optuna.storages import BaseStorage

from sweeps.database_url import check_database_url
from sweeps.locks import LOCK_WAIT_S
from sweeps.storage import journal_url, open_storage_of_user

SWEEPS = Path("outputs/sweeps")
JOURNAL = "study.journal"
TIMEOUT_S = 10.0


def study_folder(study: str) -> Path | None:
    """The folder of a study kept in its own folder: `study` itself, or outputs/sweeps/<study>; None where neither."""
    return next((f for f in (Path(study), SWEEPS / study) if (f / JOURNAL).is_file()), None)


def load_study(study: str, url: str | None = None) -> optuna.Study:
    """Args:
        study: a name, or a folder with a study.journal.
        url: of the storage, where it is not the folder's own.

    Raises:
        LookupError: there is no such study.
        UserError: the storage cannot be opened.
    """
    name = study if url else Path(study).resolve().name
    if url is None:
        folder = study_folder(study)
        if folder is None:
            raise LookupError(f"there is no study {study}: neither {study} nor {SWEEPS / study} holds a {JOURNAL}.")
        url = journal_url(folder)
    elif not url.startswith("journal"):
        check_database_url(url)
    storage = open_storage_of_user(url, timeout_s=TIMEOUT_S)
    names = sorted(summary.study_name for summary in storage.get_all_studies())
    # A folder may have been moved or renamed: its journal holds one study.
    if name not in names and len(names) == 1 and url.startswith("journal"):
        name = names[0]
    if name not in names:
        raise LookupError(f"there is no study {name} in the storage: it has {', '.join(names) or 'none'}.")
    return optuna.load_study(study_name=name, storage=storage)


def read_journal(journal: Path) -> BaseStorage:
    """The storage of a study.journal for those who look on: it is waited for by nobody, and never made."""
    from optuna.storages import JournalStorage

    from sweeps.journal import SafeJournal

    return JournalStorage(SafeJournal(journal, LOCK_WAIT_S))
