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
    assert sorted(listed) == sorted(set(DOCS.glob("*.md")) - {DOCS / "README.md"})


def test_the_page_of_configs_lists_every_name_of_every_group() -> None:
    table = (DOCS / "configs.md").read_text().partition("## Groups\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w/]+)` \| ([\w, ]+) \|", table, re.M)
    named = {group: set(names.split(", ")) for group, names in rows}
    launchers = {path.stem.split("_")[1] for path in (REPOSITORY / "hydra_plugins").glob("*_launcher.py")}
    assert named.pop("hydra/launcher") == launchers
    # Every search starts from the first, and its jobs get the second: no user chooses them.
    named["sweep"] |= {"default", "none"}
    for group, names in named.items():
        assert names == {path.stem for path in (REPOSITORY / "conf" / group).glob("*.yaml")}, group
    folders = {path.name for path in (REPOSITORY / "conf").iterdir() if path.is_dir()}
    assert set(named) == folders - {"hydra"}


def test_every_picture_is_shown() -> None:
    shown = {path for page in PAGES for path, _ in links(page)}
    assert set((DOCS / "pictures").glob("*.png")) <= shown
