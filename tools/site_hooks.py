"""Hooks of MkDocs: the pages outside docs/, the order of the pages, and links as they stand in the repository.

A page is written once, for the repository. Its links are relative to its own place there; here they become links of the
site. A link to a file that is no page, such as a yaml, becomes its text.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).resolve().parents[1]
INDEX = "docs/README.md"  # its sections and links are the navigation
# Path in the repository -> page of the site, if it is not that below docs/.
MOVED = {
    "README.md": "index.md",
    INDEX: "pages.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmark-commands.md",
}
STORED = {page: path for path, page in MOVED.items()}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.M | re.S)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the navigation from the sections of docs/README.md."""
    text = (REPOSITORY / INDEX).read_text(encoding="utf-8")
    sections = re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    listed = {title: [site_page(target, INDEX) for _, _, target in LINK.findall(part)] for title, part in sections}
    config.nav = [MOVED["README.md"], *({title: pages} for title, pages in listed.items()), MOVED[INDEX]]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not below docs/, and the index under its name here."""
    index = files.get_file_from_path(posixpath.basename(INDEX))
    assert index is not None
    files.remove(index)
    for path, page in MOVED.items():
        files.append(File.generated(config, page, content=(REPOSITORY / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into those of the site; what is between fences stays."""
    source = STORED.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    parts = [*FENCED.split(markdown), ""]
    outside = [LINK.sub(lambda found: site_link(found, source), part) for part in parts[::2]]
    return "".join(text for both in zip(outside, parts[1::2], strict=True) for text in both)


def site_link(found: re.Match[str], source: str) -> str:
    image, text, target = found.groups()
    if "://" in target or target.startswith(("#", "mailto:")):
        return found[0]
    page = site_page(target, source)
    return text if page is None else f"{image}[{text}]({page})"


def site_page(target: str, source: str) -> str | None:
    """The page of a link in a page of the repository, relative to the top of the site; None: the site has no such page.

    The pages all lie at the top, so this is the link too.
    """
    path, hash_sign, anchor = target.partition("#")
    stored = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    page = MOVED.get(stored, stored.removeprefix("docs/") if stored.startswith("docs/") else None)
    return page and page + hash_sign + anchor
