"""The files of a survey below a folder, or those that a pattern names."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from spectral.data.readers.fingerprints import join_stamps
from spectral.data.readers.paths import existing_folder
from spectral.errors import UserError

WILDCARDS = set("*?[")
MOST_STAMPED = 10_000  # files whose sizes and times are looked at, at every start


@dataclass(frozen=True)
class FileTree:
    """Files in the order of their names.

    Args:
        root: folder that the names are relative to.
        names: of the files, with the folders between.
        stamp: changes when a file comes, goes or is replaced. Of many files, one that is written to in place is not
            seen: each of a million would have to be looked at, at every start. In their folders any other file that
            comes or goes changes it too.
        folders: below the root that were looked into, if data.folder is a folder.
    """

    root: Path
    names: list[str]
    stamp: str
    folders: Sequence[str] = ()


def find_files(
    folder: str,
    endings: tuple[str, ...],
    beginnings: tuple[str, ...] = ("",),
    but_not: str | None = None,
    key: str = "data.folder",
) -> FileTree:
    """All files with some names, below a folder or as a pattern with wildcards names them.

    Args:
        folder: a folder, a file, or a pattern such as `dr10/*/spec-*.fits` (`**`: any number of folders).
        endings, beginnings: of their names, in lower case.
        but_not: a file that is left out, such as a catalog that lies in the folder.

    Raises:
        UserError: the folder is not there, cannot be listed, has no such file, or has one whose name is not UTF-8.
    """
    folders: list[str] = []
    if Path(folder).is_file():
        root, names = Path(folder).parent, [Path(folder).name]
    else:
        root = tree_root(folder, key)
        found, folders = (_matching(folder, root), folders) if _is_pattern(folder) else _below(root, key)
        names = [name for name in found if _fits(name.rpartition("/")[2].lower(), endings, beginnings)]
    if but_not is not None:
        names = [
            name for name in names if name.rpartition("/")[2] != Path(but_not).name or not _same(root / name, but_not)
        ]
    if not names:
        begins = f"begins with {' or '.join(beginnings)} and " if any(beginnings) else ""
        raise UserError(f"{key}={folder} holds no file whose name {begins}ends in {' or '.join(endings)}.")
    _check_utf8(names, f"{key}={folder}")
    if len(names) <= MOST_STAMPED:
        stamps = [size_and_time(root / name) for name in names]
    else:
        stamps = [f"{name}/{(root / name).stat().st_mtime_ns}" for name in sorted(_folders_of(names))]
    return FileTree(root, names, join_stamps([*names, *stamps]), folders)


def would_be_found(
    path: Path, folder: str, tree: FileTree, endings: tuple[str, ...], beginnings: tuple[str, ...] = ("",)
) -> bool:
    """Whether `find_files`, which has found `tree`, would find a file too that is written there."""
    if not _fits(path.name.lower(), endings, beginnings):
        return False
    there, new = _where(path)
    found_as = {os.path.realpath(tree.root / below): below for below in {*_folders_of(tree.names), *tree.folders}}
    below = found_as.get(there, os.path.relpath(there, os.path.realpath(tree.root)))
    rest = below_root(folder, tree.root)
    pattern = [glob.escape(rest)] if Path(folder).is_file() else rest.split("/") if rest else ["**", "*"]
    if pattern[-1] == "**":  # at the end glob finds files by it too
        pattern.append("*")
    return _matches([*Path(below).parts, *new], pattern)


def would_change_stamp(path: Path, tree: FileTree) -> bool:
    """Whether a file that is written there changes the stamp by the time of a folder: that of many files."""
    if len(tree.names) <= MOST_STAMPED:
        return False
    return _where(path)[0] in {os.path.realpath(tree.root / below) for below in _folders_of(tree.names)}


def size_and_time(path: Path) -> str:
    """Of a file, as a word that changes when it is written to; empty if it is not there."""
    try:
        status = path.stat()
    except OSError:  # gone since it was listed; reading it says so
        return ""
    return f"{status.st_size}/{status.st_mtime_ns}"


def tree_root(folder: str, key: str = "data.folder") -> Path:
    """The folder that names are relative to: that of a file, or the part of a pattern before its wildcards.

    Raises:
        UserError: it is not there.
    """
    if Path(folder).is_file():
        return Path(folder).parent
    if not _is_pattern(folder):
        return existing_folder(folder, key)
    parts = Path(folder).parts
    return Path(*parts[: next(i for i, part in enumerate(parts) if WILDCARDS & set(part))])


def below_root(folder: str, root: Path) -> str:
    """What data.folder names below its root: the rest of a pattern, or a file; empty if it is a folder as a whole."""
    return "/".join(Path(folder).parts[len(root.parts) :])


def _check_utf8(names: list[str], named: str) -> None:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            raise UserError(f"{named} holds a file whose name is not UTF-8: {shown}; rename it.") from error


def _is_pattern(folder: str) -> bool:
    return bool(WILDCARDS & set(folder)) and not Path(folder).exists()


def _fits(name: str, endings: tuple[str, ...], beginnings: tuple[str, ...]) -> bool:
    return name.endswith(endings) and name.startswith(beginnings) and _is_data(name)


def _is_data(name: str) -> bool:
    """Files and folders with a dot in front are none: systems, rsync and Jupyter keep their own there."""
    return not name.startswith(".")


def _folders_of(names: list[str]) -> set[str]:
    return {name.rpartition("/")[0] for name in names}


def _where(path: Path) -> tuple[str, tuple[str, ...]]:
    """The real folder that gets an entry if a file is written there, and what is then new in it."""
    path = path.parent.resolve() / path.name
    folder = next(parent for parent in path.parents if parent.is_dir())
    return str(folder), path.relative_to(folder).parts


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether glob would find a file with these folders and name."""
    if not (parts and pattern):
        return not (parts or pattern)
    is_data = _is_data(parts[0]) or pattern[0].startswith(".")
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (is_data and _matches(parts[1:], pattern))
    return is_data and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _same(path: Path, other: str) -> bool:
    return Path(other).exists() and path.samefile(other)


def _below(root: Path, key: str) -> tuple[list[str], list[str]]:
    """All files, in the order of their names, and all folders.

    A folder counts by its own name, and if it has none here by a link's.
    """

    def fail(error: OSError) -> None:
        raise UserError(f"{key}={root} cannot be listed: {error.filename}: {error.strerror}.") from error

    names, folders, seen, starts = list[str](), list[str](), set[str](), [str(root)]
    for start in starts:  # links are added to these as they are found
        for folder, subfolders, files in os.walk(start, onerror=fail) if _is_new(start, seen) else ():
            paths = {name: f"{folder}/{name}" for name in sorted(subfolders) if _is_data(name)}
            links = {name: path for name, path in paths.items() if os.path.islink(path)}  # noqa: PTH114  # quicker than a Path for each of many
            starts += links.values()
            subfolders[:] = [name for name in paths if name not in links and _is_new(paths[name], seen)]
            below = os.path.relpath(folder, root)
            folders.append(below)
            begin = "" if below == "." else f"{below}/"
            names += [begin + name for name in sorted(files)]
    return (sorted(names, key=_place) if len(starts) > 1 else names), folders


def _place(name: str) -> list[tuple[bool, str]]:
    """By which names are sorted as a walk finds them: the files of a folder before those of its subfolders."""
    *folders, file = name.split("/")
    return [*((True, folder) for folder in folders), (False, file)]


def _is_new(folder: str, seen: set[str]) -> bool:
    """Note a folder as seen. A link to one that was listed already would give its files twice, or for ever."""
    real = os.path.realpath(folder)
    is_new = real not in seen
    seen.add(real)
    return is_new


def _matching(pattern: str, root: Path) -> list[str]:
    rest = below_root(pattern, root)
    return sorted(glob.iglob(rest, root_dir=root, recursive=True))  # noqa: PTH207  # Path.glob looks at each file
