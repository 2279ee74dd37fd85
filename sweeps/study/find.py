"""Find an existing study: by its name, by its folder, or by its name in another storage."""

import shlex
from pathlib import Path

import optuna
from optuna.storages import BaseStorage

from sweeps.errors import did_you_mean, user_error
from sweeps.files import load_json
from sweeps.outputs import JOURNAL_FILE, OUTPUTS, SUMMARY_FILE, SWEEPS, named, places_in
from sweeps.space.values import override_of_word
from sweeps.storage.connect import close_storage, open_storage_of_user
from sweeps.storage.locks import LOCK_WAIT_S
from sweeps.storage.urls import JOURNAL_SCHEME, KEY, OPTION, check_storage_url, file_of, journal_url
from sweeps.study.attributes import IDENTITY

TIMEOUT_S = 10.0
CONFIG = "config.yaml"  # which every run folder has


def study_folder(study: str) -> Path | None:
    """The folder of a study: `study` itself, or one with that name in outputs, as `ls` shows it.

    None if neither exists.
    """
    return next((folder for folder in named(study) if study_kept(folder)), None)


def run_folder(run: str) -> Path | None:
    """The folder of a run: `run` itself, or one with that name in outputs, as `ls` shows it. None if neither exists."""
    return next((folder for folder in named(run) if (folder / CONFIG).is_file()), None)


def names_in_outputs(*files: str) -> list[str]:
    """Names of the folders in outputs that hold one of these files, such as config.yaml for runs."""
    places = places_in(OUTPUTS)
    return sorted({path.parent.name for place in places for file in files for path in place.glob(f"*/{file}")})


def load_study(study: str, url: str | None = None) -> optuna.Study:
    """Load an existing study.

    Args:
        study: a name, or a folder with a study.journal or a sweep.json.
        url: of the storage, if the folder does not name it.

    Raises:
        LookupError: there is no such study.
        UserError: the storage cannot be opened.
    """
    name, given_as = study, OPTION
    if url is None:
        kept = next(filter(None, map(study_kept, named(study))), None)
        if kept is None:
            places = f"neither {study} nor a folder of that name in {', '.join(map(str, places_in(OUTPUTS)))}"
            hint = did_you_mean(Path(study).name, names_in_outputs(JOURNAL_FILE, SUMMARY_FILE))
            raise LookupError(f"there is no study {study}: {hint}{places} holds a {JOURNAL_FILE} or a {SUMMARY_FILE}.")
        (name, url), given_as = kept, KEY
    storage = open_existing(url, given_as=given_as)
    names = sorted(summary.study_name for summary in storage.get_all_studies())
    # The folder may have been moved or renamed. Its journal holds only one study.
    if name not in names and len(names) == 1 and url.startswith("journal"):
        name = names[0]
    if name not in names:
        has = f"{did_you_mean(name, names)}it has {', '.join(names) or 'none'}"
        raise LookupError(f"there is no study {name} in the storage: {has}.")
    return optuna.load_study(study_name=name, storage=storage)


def open_existing(url: str, timeout_s: float = TIMEOUT_S, given_as: str = OPTION) -> BaseStorage:
    """Open the storage of a URL for reading; a storage that does not exist is not created.

    Args:
        given_as: OPTION, or KEY for the sweep that made the study; for the error sentence.

    Raises:
        LookupError: the file of the URL does not exist.
        UserError: the storage cannot be opened.
    """
    check_storage_url(url, given_as)
    file = file_of(url)
    if file is not None and not file.is_file():
        raise LookupError(f"there is no file {file}, which {given_as}={url} names.")
    return open_storage_of_user(url, timeout_s, given_as)


def read_journal(journal: Path) -> BaseStorage:
    """Open a study.journal that is there, for reading. Calls are not repeated if it is unavailable."""
    from optuna.storages import JournalStorage

    from sweeps.storage.journal import SafeJournal

    return JournalStorage(SafeJournal(journal, LOCK_WAIT_S))


def study_kept(folder: Path) -> tuple[str, str] | None:
    """The name of a folder's study and the URL of its storage; None if there is none, or it cannot be read.

    The folder's own journal has precedence over the URL that the last command wrote into sweep.json.
    """
    if (folder / JOURNAL_FILE).is_file():
        return folder.resolve().name, journal_url(folder)
    noted = study_noted(folder)
    if noted is None:
        return None
    url = noted[1]
    # The journal, such as the folder's own, is gone, and only the runs are left.
    is_gone = url.startswith(JOURNAL_SCHEME) and not (file_of(url) or folder).is_file()
    return None if is_gone else noted


def study_noted(folder: Path) -> tuple[str, str] | None:
    """The same, as the last command wrote it into sweep.json; None if there is none, or it cannot be read."""
    try:
        summary = load_json(folder / SUMMARY_FILE)
    except (OSError, ValueError):
        return None
    name, url = summary.get("study"), summary.get("storage")
    return (name, url) if isinstance(name, str) and isinstance(url, str) else None


def name_of_yaml(search: str, storage: str | None, timeout_s: float) -> str:
    """The name of a search's study, by that of its yaml, such as `lamost/mine`: without a slash, so that it is listed.

    One that an earlier version has begun under a name with a slash keeps that; for one in a run_dir see name_in_folder.

    Args:
        search: the name of the yaml.
        storage: `sweep.storage`; None for the folder's own journal.
        timeout_s: how long to wait for the storage.
    """
    plain = _without_slash(search)
    if plain == search:
        return plain
    is_begun_so = (SWEEPS / search).is_dir() or (storage is not None and is_begun(storage, search, timeout_s))
    return search if is_begun_so else plain


def _without_slash(name: str) -> str:
    return name.replace("/", "-")


def name_in_folder(folder: Path, given: str | None, storage: str | None, timeout_s: float) -> str:
    """The name of the study that a command resumes or begins in a folder, which may have been renamed or copied.

    Args:
        folder: of the sweep.
        given: by the command or its yaml; None: the name of the study that the folder holds, or of the folder itself.
        storage: `sweep.storage`; None for the folder's own journal.
        timeout_s: how long to wait for the storage.

    Raises:
        UserError: the folder holds a study with another name.
    """
    held = _names_held(folder, storage, timeout_s)
    name = given or (held[0] if len(held) == 1 else folder.resolve().name)
    if name not in held:  # an earlier version may have begun it under a name with a slash, which no command can give
        name = next((other for other in held if _without_slash(other) == _without_slash(name)), name)
    if held and name not in held:
        resumed = override_of_word("sweep.study_name", _without_slash(held[-1]))
        same = shlex.join([resumed, override_of_word("run_dir", str(folder))])
        raise user_error(
            f"the folder {folder} holds the study {held[-1]}, not {name}: give {same} to resume it, or another run_dir."
        )
    return name


def _names_held(folder: Path, storage: str | None, timeout_s: float) -> list[str]:
    """The names of the studies in a folder's own journal, otherwise of the one in sweep.json, if it is there."""
    own = journal_url(folder)
    if begun := names_begun(own, timeout_s):
        return begun
    noted = study_noted(folder)
    if noted is None:
        return []
    name, url = noted
    file = file_of(url)
    is_there = file is None or file.is_file() or is_begun(storage or own, name, timeout_s)
    return [name] if is_there else []


def refuse_second(folder: Path, name: str, storage: str | None, timeout_s: float) -> None:
    """Raise UserError if a command would begin a second study with the same name and folder in another storage.

    Args:
        folder: of the sweep.
        storage: `sweep.storage`; None for the folder's own journal.
        timeout_s: how long to wait for that storage.
    """
    noted, own = study_noted(folder), journal_url(folder)
    # Its own journal comes first: sweep.json may lack the study, if that was killed, or name the place before a move.
    kept = own if is_begun(own, name, timeout_s) else noted[1] if noted and noted[0] == name else None
    if kept is None or kept == (storage or own) or is_begun(storage or own, name, timeout_s):
        return
    where, how = "its own journal", "without sweep.storage"
    if kept != own:
        file = file_of(kept)
        if file is not None and not file.is_file():
            return  # the other study is gone
        where, how = kept, f"with {shlex.quote(override_of_word(KEY, kept))}"
    raise user_error(
        f"sweep.storage={storage or 'null'} has no study {name}, and the one of the folder {folder} is kept in "
        f"{where}: give the command {how} to resume it, or another run_dir."
    )


def is_begun(url: str, name: str, timeout_s: float) -> bool:
    """Whether a sweep has begun the study with a name, in this or an earlier command.

    Args:
        url: of the storage. A file that does not exist is not created.
        timeout_s: how long to wait for the storage.
    """
    return name in names_begun(url, timeout_s)


def names_begun(url: str, timeout_s: float) -> list[str]:
    """The names of the studies in a storage that sweeps have begun, in the order in which they began."""
    file = file_of(url)
    if file is not None and not file.is_file():
        return []
    storage = open_storage_of_user(url, timeout_s)
    try:
        return [study.study_name for study in storage.get_all_studies() if IDENTITY in study.user_attrs]
    finally:
        close_storage(storage)
