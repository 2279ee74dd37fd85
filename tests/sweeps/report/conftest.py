"""A report in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser
from report_in_browser import write_page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with spectra and trials."""
    return write_page(tmp_path_factory.mktemp("report"))


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    """The page with both plots drawn."""
    browser.open(page)
    for place in ("compare-plot", "spectra-plot"):
        browser.draw(place)
    return browser


@pytest.fixture
def nothing_amiss(browser: Browser) -> Iterator[None]:
    """At the end of a test the page has had no error and made no request."""
    yield
    assert browser.errors() == [] and browser.requests() == []
