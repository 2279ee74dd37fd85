"""Links between the pages, and from them to files of the repository."""

import re
from pathlib import Path

import pytest
from small_runs import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.glob("*.md"), REPOSITORY / "benchmarks" / "README.md"])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```$", re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[tuple[Path, str]]:
    """The file and the anchor of each relative link."""
    targets = [target for target in LINK.findall(FENCED.sub("", page.read_text())) if "://" not in target]
    parted = [target.partition("#") for target in targets]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in parted]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_has_a_target(page: Path) -> None:
    for path, anchor in links(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors(path), f"{path.name}#{anchor}"


def test_the_index_lists_every_page_once() -> None:
    listed = [path for path, _ in links(DOCS / "README.md") if path.parent == DOCS]
    assert sorted(listed) == sorted({*DOCS.glob("*.md"), *DOCS.glob("*.ipynb")} - {DOCS / "README.md"})


def test_every_picture_is_shown() -> None:
    shown = {path for page in PAGES for path, _ in links(page)}
    assert set((DOCS / "pictures").glob("*.png")) <= shown
