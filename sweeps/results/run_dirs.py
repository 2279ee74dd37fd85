"""Find the run folders of a trial, also after the study's folder was moved."""

from pathlib import Path
from typing import Any

from sweeps.storage.urls import journal_url
from sweeps.study.attributes import RUN_DIR

SEED = "seed-"  # start of a run folder's name, if a trial has several seeds


def run_dirs(attributes: dict[str, Any], folder: Path | None) -> list[Path]:
    """The existing run folders of a trial: one, or one per seed in the order of the seeds.

    Args:
        attributes: of the trial, as sweeps/loop writes them.
        folder: of the study; None if it has none.
    """
    here = folder_of(attributes, folder)
    if here is None:
        return []
    found = [(seed, path) for path in here.glob(f"{SEED}*") if (seed := seed_of(path)) is not None and path.is_dir()]
    return [path for _, path in sorted(found)] or [path for path in [here] if path.is_dir()]


def seed_of(folder: Path) -> int | None:
    """The index of a run's seed, from the folder's name, `seed-2`; None for other names, given by the user."""
    index = folder.name.removeprefix(SEED)
    return int(index) if folder.name.startswith(SEED) and index.isdecimal() else None


def folder_of(attributes: dict[str, Any], folder: Path | None) -> Path | None:
    """The folder of a trial, with its run or one run per seed; None if no run has begun. Arguments as in `run_dirs`."""
    if RUN_DIR not in attributes:
        return None
    noted = Path(attributes[RUN_DIR])
    if folder is None:
        return noted
    # The study's own folder comes first: after a copy the noted one is that of the original.
    own = folder / noted.name
    return noted if noted.is_dir() and not own.is_dir() else own


def folder_to_run_in(attributes: dict[str, Any], folder: Path, url: str) -> Path | None:
    """The folder that jobs of a trial write to; None if no run has begun.

    As `folder_of`, but a study in its folder's journal has all its trials there. A copy that was made while it ran may
    lack a folder that the original has made since, and leaves that to the original.

    Args:
        url: of the study's storage.
    """
    found = folder_of(attributes, folder)
    return folder / found.name if found is not None and url == journal_url(folder) else found


def fresh_folder(parent: Path, number: int) -> Path:
    """The folder of a new trial, named by its number; with a suffix if another study has left a folder of that name."""
    folder, again = parent / str(number), 1
    while folder.exists():
        again += 1
        folder = parent / f"{number}-{again}"
    return folder
