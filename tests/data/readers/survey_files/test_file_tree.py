"""Which files a folder or pattern means, and when the source has changed."""

import os
from pathlib import Path

import pytest

from spectral.data.readers.survey_files import file_tree
from spectral.data.readers.survey_files.file_tree import find_files, would_be_found
from spectral.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b/spec-2.fits", "b/spec-1.fits.gz", "a/c/spec-3.FITS", "spec-0.fits", "notes.txt", "b/._spec-1.fits"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def found(folder: object, **options: object) -> list[str]:
    return find_files(str(folder), (".fits", ".fits.gz"), **options).names  # type: ignore[arg-type]  # options of several types


def test_all_files_below_a_folder_in_the_order_of_their_names(folder: Path) -> None:
    assert found(folder) == ["spec-0.fits", "a/c/spec-3.FITS", "b/spec-1.fits.gz", "b/spec-2.fits"]


def test_a_pattern_or_a_file(folder: Path) -> None:
    assert found(folder / "b" / "spec-*") == ["spec-1.fits.gz", "spec-2.fits"]
    assert found(folder / "*" / "spec-*.fits") == ["b/spec-2.fits"]
    assert found(folder / "**" / "*.FITS") == ["a/c/spec-3.FITS"]
    assert found(folder / "b" / "spec-2.fits") == ["spec-2.fits"]


def test_a_folder_whose_name_has_wildcards_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "dr[10]").mkdir()
    (tmp_path / "dr[10]" / "a.fits").write_text("x")
    assert found(tmp_path / "dr[10]") == ["a.fits"]


@pytest.mark.parametrize("hidden", [".ipynb_checkpoints", "b/.trash/c"])
def test_hidden_folders_are_left_out(folder: Path, hidden: str) -> None:
    (folder / hidden).mkdir(parents=True)
    (folder / hidden / "spec-0-checkpoint.fits").write_text("x")
    for meant in (folder, folder / "**" / "*.fits"):
        assert not any("checkpoint" in name for name in found(meant))
    assert found(folder / hidden) == ["spec-0-checkpoint.fits"]  # it is asked for by its name


def test_a_folder_that_is_linked_into_itself_or_twice_is_listed_once(folder: Path) -> None:
    (folder / "b" / "loop").symlink_to(folder)
    (folder / "z").symlink_to(folder / "b")
    assert len(found(folder)) == 4


def test_a_folder_counts_by_its_own_name_and_not_by_that_of_a_link(folder: Path) -> None:
    (folder / "a" / "latest").symlink_to(folder / "b")
    (folder / "0").symlink_to(folder / "a")
    assert found(folder) == ["spec-0.fits", "a/c/spec-3.FITS", "b/spec-1.fits.gz", "b/spec-2.fits"]


def test_links_to_folders_elsewhere_are_in_the_order_of_their_names(folder: Path) -> None:
    (folder / "survey" / "z").mkdir(parents=True)
    (folder / "survey" / "a").symlink_to(folder / "b")
    (folder / "survey" / "z" / "spec-9.fits").write_text("x")
    (folder / "survey" / "z" / "deep").symlink_to(folder / "a")
    expected = ["a/spec-1.fits.gz", "a/spec-2.fits", "z/spec-9.fits", "z/deep/c/spec-3.FITS"]
    assert found(folder / "survey") == expected


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", r"data\.folder=.*nothing is not a folder"),
        ("empty", r"data\.folder=.*empty holds no file whose name ends in \.fits or \.fits\.gz"),
        ("b/*.dat", r"holds no file whose name ends in"),
        ("x/*/y.fits", r"holds no file whose name ends in"),
    ],
)
def test_no_files_are_one_sentence(name: str, sentence: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UserError, match=sentence):
        found(folder / name)


@pytest.mark.parametrize("name", [b"b/spec-\xe9.fits", b"Stra\xdfe/spec-1.fits"])
def test_a_name_that_is_not_utf8_is_one_sentence(folder: Path, name: bytes) -> None:
    path = folder / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    with pytest.raises(UserError, match=r"holds a file whose name is not UTF-8: .*\\x(e9|df).*; rename it\.$"):
        found(folder)


def test_a_folder_that_may_not_be_listed_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stand-in, since a superuser may list all."""
    scandir = os.scandir

    def refuse(path: object) -> object:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)  # type: ignore[call-overload]  # as os.walk calls it

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match=r"data\.folder=.* cannot be listed: .*/b: Permission denied\.$"):
        found(folder)


@pytest.mark.parametrize("most", [10_000, 0], ids=["few", "many"])
def test_the_stamp_changes_when_a_file_comes_or_goes_or_is_replaced(
    most: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_tree, "MOST_STAMPED", most)

    def stamp() -> str:
        return find_files(str(folder), (".fits",)).stamp

    stamps = [stamp()]
    assert stamp() == stamps[0]
    (folder / "b" / "new.fits").write_text("x")
    stamps.append(stamp())
    (folder / "b" / "spec-2.fits").unlink()
    os.utime(folder / "b", ns=(1, 1))
    stamps.append(stamp())
    (folder / "b" / "other").write_text("yy")
    (folder / "b" / "other").replace(folder / "b" / "new.fits")
    os.utime(folder / "b", ns=(2, 2))
    stamps.append(stamp())
    assert len(set(stamps)) == 4


def test_another_file_in_a_folder_of_few_changes_no_stamp(folder: Path) -> None:
    before = find_files(str(folder), (".fits",)).stamp
    (folder / "b" / "README").write_text("x")
    assert find_files(str(folder), (".fits",)).stamp == before


@pytest.mark.parametrize(
    ("meant", "path"),
    [
        ("d", "d/cat.fits"),
        ("d", "d/a/new/cat.FITS"),
        ("d", "d/cat.csv"),
        ("d", "cat.fits"),
        ("d", "d/../cat.fits"),
        ("d", "d/.hidden/cat.fits"),
        ("d", "d/a/.hidden/new/cat.fits"),
        ("d", "d/link/cat.fits"),
        ("d", "elsewhere/cat.fits"),
        ("d", "elsewhere/b/cat.fits"),
        ("d/*.fits", "d/cat.fits"),
        ("d/*.fits", "d/a/cat.fits"),
        ("d/*.fits", "elsewhere/cat.fits"),
        ("d/*/spec-*.fits", "d/a/cat.fits"),
        ("d/*/spec-*.fits", "d/a/spec-cat.fits"),
        ("d/*/spec-*.fits", "d/link/spec-cat.fits"),
        ("d/*/spec-*.fits", "d/new/spec-cat.fits"),
        ("d/*/spec-*.fits", "d/.hidden/spec-cat.fits"),
        ("d/*/spec-*.fits", "elsewhere/spec-cat.fits"),
        ("d/**/*.fits", "d/cat.fits"),
        ("d/**/*.fits", "d/a/new/cat.fits"),
        ("d/**/*.fits", "d/.hidden/cat.fits"),
        ("d/**", "d/cat.fits"),
        ("d/**", "d/a/new/cat.fits"),
        ("d/**", "d/.hidden/cat.fits"),
        ("d/*/**/", "d/cat.fits"),
        ("d/*/**/", "d/a/cat.fits"),
        ("d/e[1].fits", "d/e[1].fits"),
        ("d/e[1].fits", "d/cat.fits"),
        ("d/e[1].fits", "d/e1.fits"),
    ],
)
def test_whether_a_file_that_is_written_would_be_found(tmp_path: Path, meant: str, path: str) -> None:
    """As the list says once it is written."""
    for name in ("d/a/spec-0.fits", "d/e[1].fits", "elsewhere/spec-1.fits"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "elsewhere" / "b").mkdir()
    (tmp_path / "d" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "d" / "a" / ".hidden").mkdir()
    folder, written = str(tmp_path / meant), tmp_path / path
    expected = would_be_found(written, folder, find_files(folder, (".fits",)), (".fits",))
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text("x")
    tree = find_files(folder, (".fits",))
    assert any((tree.root / name).samefile(written) for name in tree.names) == expected
