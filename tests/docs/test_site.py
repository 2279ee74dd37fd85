"""The documentation site: its pages look as they do in the repository, and it loads nothing from elsewhere."""

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import open_browser
from small_runs import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.glob("*.md"), REPOSITORY / "benchmarks" / "README.md"])
TAGS = re.compile(r"<(table|tr|ul|ol|li|pre|h1|h2|h3|a|img|code|strong|em)[ >]")
LOADED = re.compile(
    r"<(?:script|link|img|iframe)[^>]*?(?:src|href)=[\"']?(?:https?:)?//[^>]*>|@import|url\([\"']?https?:"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_a_page_has_the_same_parts_on_the_site_as_in_the_repository(page: Path) -> None:
    """MkDocs reads Markdown by stricter rules than repositories: a list without a blank line before it is no list."""
    markdown = pytest.importorskip("markdown")  # comes with the extra docs
    from markdown_it import MarkdownIt

    text = page.read_text()
    site = markdown.markdown(text, extensions=["tables", "sane_lists", "pymdownx.superfences"])
    repository = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert Counter(TAGS.findall(site)) == Counter(TAGS.findall(repository))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built with warnings as errors."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.mark.slow
def test_every_page_is_there_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.glob("*.html"))
    assert {page.stem for page in pages} >= {page.stem for page in DOCS.glob("*.*") if page.stem != "README"}
    for path in [*pages, *site.glob("assets/**/*.css")]:
        assert not LOADED.findall(path.read_text()), path.name


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_the_search_finds_a_page_without_any_other_server(address: str, tmp_path: Path) -> None:
    with open_browser(tmp_path) as browser:
        browser.driver.get(f"{address}/index.html")
        browser.find("[data-md-component=search-query]").send_keys("hyperband")
        browser.wait("return document.querySelector('.md-search-result__link') !== null")
        assert browser.find(".md-search-result__link").get_attribute("href").startswith(address)
        assert not [url for url in browser.requests() if not url.startswith(address)]
        assert not browser.errors()
