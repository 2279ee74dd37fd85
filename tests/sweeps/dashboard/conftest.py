"""Fixtures of the dashboard's tests."""

from collections.abc import Iterator

import pytest
from browser import Browser, open_browser


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless Chromium for all tests."""
    with open_browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened
