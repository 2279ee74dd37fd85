"""The files of a survey below a folder, or those that a pattern names."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from spectral.data.readers.fingerprints import join_stamps
from spectral.data.readers.paths import existing_folder
from spectral.errors import UserError

WILDCARDS = set("*?[")


@dataclass(frozen=True)
class FileTree:
    """Files in the order of their names.

    Args:
        root: folder that the names are relative to.
        names: of the files, with the folders between.
        stamp: changes when a file comes, goes or is replaced. Files that are written to in place are not seen: a
            million of them would have to be looked at, at every start.
    """

    root: Path
    names: list[str]
    stamp: str

    @cached_property
    def by_name(self) -> dict[str, str]:
        """Name without its folders -> relative name."""
        return {name.rpartition("/")[2]: name for name in self.names}


def find_files(folder: str, endings: tuple[str, ...], key: str = "data.folder") -> FileTree:
    """All files with some endings, below a folder or as a pattern with wildcards names them.

    Args:
        folder: a folder, a file, or a pattern such as `dr10/*/spec-*.fits` (`**`: any number of folders).
        endings: in lower case.

    Raises:
        UserError: the folder is not there, cannot be listed, or has no such file.
    """
    if WILDCARDS & set(folder) and not Path(folder).exists():
        root, names = _matching(folder, endings)
    elif Path(folder).is_file():
        root, names = Path(folder).parent, [Path(folder).name]
    else:
        root = existing_folder(folder, key)
        names = _below(root, endings, key)
    if not names:
        raise UserError(f"{key}={folder} holds no file that ends in {' or '.join(endings)}.")
    folders = sorted({name.rpartition("/")[0] for name in names})
    stamps = [f"{name}/{(root / name).stat().st_mtime_ns}" for name in folders]
    return FileTree(root, names, join_stamps([*names, *stamps]))


def _below(root: Path, endings: tuple[str, ...], key: str) -> list[str]:
    def fail(error: OSError) -> None:
        raise UserError(f"{key}={root} cannot be listed: {error.filename}: {error.strerror}.") from error

    names = []
    for folder, subfolders, files in os.walk(root, onerror=fail, followlinks=True):
        subfolders.sort()
        below = os.path.relpath(folder, root)
        begin = "" if below == "." else f"{below}/"
        names += [begin + name for name in sorted(files) if name.lower().endswith(endings)]
    return names


def _matching(pattern: str, endings: tuple[str, ...]) -> tuple[Path, list[str]]:
    parts = Path(pattern).parts
    num_fixed = next(i for i, part in enumerate(parts) if WILDCARDS & set(part))
    root = Path(*parts[:num_fixed])
    found = (path for path in root.glob(str(Path(*parts[num_fixed:]))) if path.name.lower().endswith(endings))
    return root, sorted(str(path.relative_to(root)) for path in found if path.is_file())
