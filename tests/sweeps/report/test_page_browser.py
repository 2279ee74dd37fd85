"""The page in a real browser: opens from disk, asks nobody for anything, reports no error."""

from pathlib import Path

from browser import Browser

from sweeps.report.page import build_page
from sweeps.report.study import Report

NASTY = """<script>alert(1)</script> "quoted" 'single' </script> &amp; \u2028 <!-- """


def test_it_opens_from_disk_without_a_request_or_an_error(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(build_page(Report(NASTY, tmp_path, ["val/macro_f1"], ["maximize"], [], [])), encoding="utf-8")
    browser.open(page)
    assert browser.js("return document.querySelector('title').textContent") == f"{NASTY}: Spectral report"
    assert browser.errors() == [] and browser.requests() == []


def test_requests_and_errors_would_be_noticed(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<script src='https://example.invalid/a.js'></script><script>undefinedName()</script>")
    browser.open(page)
    assert browser.requests() == ["https://example.invalid/a.js"]
    assert any("undefinedName" in message for message in browser.errors())
