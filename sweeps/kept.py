"""Where the study of a folder is kept: in the folder's journal, or in the storage that its sweep.json names."""

from pathlib import Path

from sweeps.errors import user_error
from sweeps.files import load_json
from sweeps.outputs import JOURNAL_FILE, JOURNAL_SCHEME, SUMMARY_FILE, file_of, journal_url


def study_kept(folder: Path) -> tuple[str, str] | None:
    """The name of a folder's study and the URL of its storage; None where there is no such study, or it cannot be told.

    The folder's own journal goes before what its last command noted.
    """
    if (folder / JOURNAL_FILE).is_file():
        return folder.resolve().name, journal_url(folder)
    noted = study_noted(folder)
    if noted is None:
        return None
    url = noted[1]
    # A journal that is gone, such as the folder's own: its runs are left.
    is_gone = url.startswith(JOURNAL_SCHEME) and not (file_of(url) or folder).is_file()
    return None if is_gone else noted


def study_noted(folder: Path) -> tuple[str, str] | None:
    """The same, as the last command noted it; None where none has, or its note cannot be read."""
    try:
        told = load_json(folder / SUMMARY_FILE)
    except (OSError, ValueError):
        return None
    name, url = told.get("study"), told.get("storage")
    return (name, url) if isinstance(name, str) and isinstance(url, str) else None


def refuse_second(folder: Path, name: str, storage: str | None, timeout_s: float) -> None:
    """Raise UserError where a command would begin a second study of a name in a folder, in another storage.

    Args:
        folder: of the sweep.
        storage: `sweep.storage`; None for the folder's own journal.
        timeout_s: how long that storage is waited for.
    """
    noted, own = study_noted(folder), journal_url(folder)
    if noted is None or noted[0] != name or noted[1] == (storage or own) or _is_in(storage or own, name, timeout_s):
        return
    kept = noted[1]
    file = file_of(kept)
    if file is not None and not file.is_file():
        if not kept.startswith(JOURNAL_SCHEME) or not (folder / JOURNAL_FILE).is_file():
            return  # it is gone
        kept = own  # which was moved, with its folder
    where, how = (kept, f"with sweep.storage={kept}") if kept != own else ("its own journal", "without sweep.storage")
    raise user_error(
        f"sweep.storage={storage or 'null'} has no study {name}, and the one of the folder {folder} is kept in "
        f"{where}: give the command {how} to go on with it, or another sweep.study_name."
    )


def _is_in(url: str, name: str, timeout_s: float) -> bool:
    """Whether a storage has a study of that name; a file that is not there is not made for it."""
    file = file_of(url)
    if file is not None and not file.is_file():
        return False
    from sweeps.storage.connect import open_storage_of_user

    return name in {study.study_name for study in open_storage_of_user(url, timeout_s).get_all_studies()}
