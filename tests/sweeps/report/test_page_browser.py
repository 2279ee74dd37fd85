"""The whole page in a real Chromium: no request, no error, readable by all, on paper too, and text stays text."""

from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from report_runs import make_report, make_run, make_survey, make_trial
from selenium.webdriver.common.keys import Keys

from sweeps.report.model import Report
from sweeps.report.options import Options
from sweeps.report.page import build_page

NASTY = (
    """<script>alert(1)</script><img src=x onerror=alert(2)> "quoted"  'single' </script> &amp; a\u2028b <!-- {{x}}"""
)


def nasty_report(folder: Path) -> Report:
    """Markup wherever a user may write: in the names of study, classes, spectra and axes, in values and reasons."""
    classes = ["star", f"b {NASTY}", "qso"]
    ids = [f"{NASTY} {row}" for row in range(6)]
    survey = make_survey(folder / "survey", 6, 100, classes, id=ids)
    run = make_run(folder / "run", survey, [1, 2, 0, 0, 1, 2], [0.8] * 6)
    chosen = {f"axis {NASTY}": f"value {NASTY}", "lr": 0.1}
    failed = make_trial(2, None, state="fail", reason=f"reason {NASTY}")
    unbroken = make_trial(3, None, state="fail", reason="x" * 300)
    trials = [make_trial(0, 0.5, configuration=chosen, runs=(run,)), make_trial(1, 0.4), failed, unbroken]
    report = make_report(folder, trials, options=Options(saliency=False))
    return Report(f"study {NASTY}", folder, report.objectives, report.directions, trials, report.best_first)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    path = folder / "report.html"
    path.write_text(build_page(nasty_report(folder)), encoding="utf-8")
    return path


def plots(browser: Browser) -> list[str]:
    """Draw every figure of the page; returns their ids."""
    names = [plot.get_attribute("id") or "" for plot in browser.find_all("[data-figure], [id$=-plot]")]
    for name in names:
        browser.draw(name)
    return names


def test_the_page_opens_from_disk_without_a_request_or_an_error(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert {"spectra-plot", "compare-plot"} <= set(plots(browser))
    for section in browser.find_all("main > section"):
        browser.screenshot(f"page-{section.get_attribute('id')}", section)
    assert browser.errors() == [] and browser.requests() == []


def test_requests_and_errors_are_noticed(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text("<script src='https://example.invalid/a.js'></script><script>undefinedName()</script><input>")
    browser.open(bad)
    assert browser.requests() == ["https://example.invalid/a.js"]
    assert any("undefinedName" in message for message in browser.errors())
    assert {"label", "html-has-lang"} <= set(browser.violations())


def test_text_in_the_data_is_shown_as_it_is(browser: Browser, page: Path) -> None:
    browser.open(page)
    plots(browser)
    assert browser.js("return document.querySelector('title').textContent") == f"study {NASTY}: Spectral report"
    assert browser.js("return document.querySelectorAll('main script, main img').length") == 0
    pairs = {pair.text.split("\n")[0]: pair for pair in browser.find_all("#spectra-about div")}
    content = {
        name: pair.find_element("css selector", "dd").get_attribute("textContent") for name, pair in pairs.items()
    }
    assert (content["spectrum"] or "").startswith(NASTY) and NASTY in (content["probabilities"] or "")
    options = browser.js("return [...document.getElementById('spectra-label').options].map((o) => o.value)")
    assert options == ["", "star", f"b {NASTY}", "qso"]
    browser.js("document.getElementById('spectra-label').value = arguments[0]", options[2])
    browser.js("document.getElementById('spectra-label').dispatchEvent(new Event('input'))")
    assert browser.find("#spectra-position").text == "1 of 2"
    browser.click("#compare-list input[value='2']")
    cells = browser.js(
        "return [...document.querySelectorAll('#compare-tables th, #compare-tables td')].map((c) => c.textContent)"
    )
    assert {f"axis {NASTY}", f"fail: reason {NASTY}"} <= set(cells)
    assert any(f"value {NASTY}" in cell.replace("\\'", "'") for cell in cells)
    assert browser.errors() == [] and browser.requests() == []


def test_the_page_breaks_no_rule_of_accessibility(browser: Browser, page: Path) -> None:
    browser.open(page)
    plots(browser)
    assert browser.violations() == {}


def test_every_control_and_figure_has_a_name(browser: Browser, page: Path) -> None:
    browser.open(page)
    plots(browser)
    named = browser.find_all("input, select, button, summary, [role=group], [role=region], [tabindex='0']")
    named = [element for element in named if element.is_displayed()]
    assert len(named) > 15
    assert [element.get_attribute("outerHTML") for element in named if not element.accessible_name.strip()] == []


def test_the_keyboard_reaches_the_controls_in_the_order_of_the_page(browser: Browser, page: Path) -> None:
    browser.open(page)
    plots(browser)
    browser.js("document.getElementById('spectra-kind').focus()")
    reached: list[Any] = []
    while "compare-clear" not in reached and len(reached) < 60:
        reached.append(browser.js("return document.activeElement.id"))
        browser.press(Keys.TAB)
    controls = "kind label predicted snr-low snr-high viewer next smoothing redshift redshift-number redshift-reset"
    expected = [f"spectra-{name}" for name in controls.split()] + ["compare-search", "compare-clear"]
    assert [name for name in dict.fromkeys(reached) if name in expected] == expected


@pytest.mark.parametrize("width_px", [320, 600])
def test_a_narrow_window_needs_no_horizontal_scrolling(browser: Browser, page: Path, width_px: int) -> None:
    with browser.narrow(width_px):
        browser.open(page)
        plots(browser)
        browser.screenshot(f"page-{width_px}", browser.find("main"))
        assert browser.hidden_px() == 0


def test_the_page_prints_without_controls(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        browser.js("window.dispatchEvent(new Event('beforeprint'))")
        for name in ("spectra-plot", "compare-plot"):
            browser.wait("return document.getElementById(arguments[0]).querySelector('.main-svg') !== null", name)
            assert browser.find(f"#{name}").is_displayed()
        shown = [element for element in browser.find_all("nav, input, select, button") if element.is_displayed()]
        assert [element.get_attribute("outerHTML") for element in shown] == []
        for place in (".viewer", "figure", "#compare-plot"):  # no picture is cut at the end of a sheet
            assert browser.find(place).value_of_css_property("break-inside") == "avoid"
        assert browser.find("#compare-tables").is_displayed() and browser.find("#spectra-about").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
