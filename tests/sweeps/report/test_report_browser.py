"""The browser of spectra in a real Chromium: each control does what its label promises."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser
from report_in_browser import LENGTH, MASKED
from selenium.webdriver.common.keys import Keys

from sweeps.report.spectral_lines import LINES

pytestmark = pytest.mark.usefixtures("nothing_amiss")


def choose(browser: Browser, name: str, value: str) -> None:
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
    browser.js(script, browser.find(f"#spectra-{name}"), value)


def position(browser: Browser) -> str:
    return browser.find("#spectra-position").text


def facts(browser: Browser) -> dict[str, str]:
    pairs = browser.find_all("#spectra-about div")
    return dict(pair.text.split("\n") for pair in pairs)


def flux(browser: Browser) -> list[float]:
    """The line as it is drawn."""
    script = "const t = document.getElementById('spectra-plot').data.find((t) => t.name === 'flux');"
    values: list[float] = browser.js(script + "return Array.from(t.y, (v) => Number.isFinite(v) ? v : null)")
    return values


def markers(browser: Browser) -> dict[str, list[float]]:
    script = "return document.getElementById('spectra-plot').layout.shapes.map((s) => [s.name, s.x0])"
    found: dict[str, list[float]] = {}
    for name, place in browser.js(script):
        found.setdefault(name, []).append(place)
    return found


def expected_markers(redshift: float) -> dict[str, list[float]]:
    shifted = {name: [place * (1 + redshift) for place in places] for name, places in LINES.items()}
    inside = {name: [place for place in places if 3700 <= place <= 9000] for name, places in shifted.items()}
    return {name: pytest.approx(places) for name, places in inside.items() if places}


def test_buttons_and_keys_step_through_the_spectra(opened: Browser) -> None:
    assert position(opened) == "1 of 24"
    first = facts(opened)["spectrum"]
    opened.click("#spectra-next")
    assert position(opened) == "2 of 24" and facts(opened)["spectrum"] != first
    opened.click("#spectra-previous")
    assert facts(opened)["spectrum"] == first and not opened.find("#spectra-previous").is_enabled()
    opened.js("document.getElementById('spectra-viewer').focus()")
    opened.press(Keys.ARROW_RIGHT, "j", "j", Keys.ARROW_LEFT)
    assert position(opened) == "3 of 24"
    opened.press("k", "k", "k", "k")
    assert position(opened) == "1 of 24"
    opened.press("j" * 30)
    assert position(opened) == "24 of 24" and not opened.find("#spectra-next").is_enabled()
    label = opened.find("#spectra-plot").get_attribute("aria-label")
    assert facts(opened)["spectrum"] in (label or "")


def test_the_keys_still_work_after_the_last_button_press(opened: Browser) -> None:
    choose(opened, "snr-low", "23")
    opened.click("#spectra-next")
    assert position(opened) == "2 of 2"
    opened.press(Keys.ARROW_LEFT)
    assert position(opened) == "1 of 2"


def test_keys_go_to_the_control_that_has_the_focus(opened: Browser) -> None:
    opened.js("document.getElementById('spectra-redshift').focus()")
    opened.press(Keys.ARROW_RIGHT)
    assert position(opened) == "1 of 24" and markers(opened) == expected_markers(2.2005)


def test_filters_choose_the_shown_spectra(opened: Browser) -> None:
    choose(opened, "kind", "wrong")
    assert position(opened) == "1 of 8" and facts(opened)["true"] == "galaxy"
    choose(opened, "kind", "right")
    assert position(opened) == "1 of 16" and facts(opened)["predicted"].endswith("(right)")
    choose(opened, "label", "qso")
    assert position(opened) == "1 of 8" and facts(opened)["true"] == "qso"
    choose(opened, "kind", "all")
    choose(opened, "label", "")
    choose(opened, "predicted", "qso")
    assert position(opened) == "1 of 16"
    choose(opened, "predicted", "")
    opened.retype(opened.find("#spectra-snr-low"), "5")
    opened.retype(opened.find("#spectra-snr-high"), "7.5")  # row + 1 = 5, 6, 7
    assert position(opened) == "1 of 3"
    opened.retype(opened.find("#spectra-snr-low"), "1000")
    assert position(opened) == "no spectrum passes these filters" and facts(opened) == {}
    assert not opened.find("#spectra-plot").is_displayed()
    opened.retype(opened.find("#spectra-snr-low"), "7")
    assert position(opened) == "1 of 1" and opened.find("#spectra-plot").is_displayed()


def test_smoothing_is_the_mean_over_good_pixels(opened: Browser) -> None:
    raw = flux(opened)
    assert raw[MASKED] == [None] * 10 and None not in raw[:100] and None not in raw[110:]
    opened.slide(opened.find("#spectra-smoothing"), 7)
    assert opened.find("#spectra-smoothing-shown").text == "7 pixels"
    smooth = flux(opened)
    assert smooth[200] == pytest.approx(np.mean(raw[197:204]))
    assert smooth[0] == pytest.approx(np.mean(raw[0:4])) and smooth[98] == pytest.approx(np.mean(raw[95:100]))
    opened.slide(opened.find("#spectra-smoothing"), 1)
    assert flux(opened) == raw and opened.find("#spectra-smoothing-shown").text == "off"


def test_the_band_is_one_standard_deviation(opened: Browser) -> None:
    def widths() -> Any:
        script = """const band = document.getElementById('spectra-plot').data.find((t) => t.name === 'error');
        const wave = spectralData.spectra.x, at = (i) => band.y.filter((_y, j) => band.x[j] === wave[i]);
        return [200, 105, 99].map((i) => at(i).length === 2 ? at(i)[0] - at(i)[1] : null)"""
        return opened.js(script)

    assert widths() == [pytest.approx(4), None, pytest.approx(4)]  # an inverse variance of 0.25
    opened.slide(opened.find("#spectra-smoothing"), 9)
    # A mean of nine has a third of the error; next to the masked pixels only five are left.
    assert widths() == [pytest.approx(4 / 3), None, pytest.approx(4 / 5**0.5)]


def test_masked_pixels_are_grey(opened: Browser) -> None:
    grey, band = opened.js("""const traces = document.getElementById('spectra-plot').data;
        const grey = traces.find((t) => t.name === 'masked flux'), band = traces.find((t) => t.name === 'masked');
        return [Array.from(grey.y, (v) => Number.isFinite(v)), Array.from(band.x)]""")
    assert [i for i, is_there in enumerate(grey) if is_there] == list(range(100, 110))
    wave = np.linspace(3700.0, 9000.0, LENGTH)
    assert min(x for x in band if x) == pytest.approx(wave[100], abs=0.01)
    assert max(x for x in band if x) == pytest.approx(wave[110], abs=0.01)


def test_the_redshift_moves_the_lines(opened: Browser) -> None:
    z = float(facts(opened)["catalog redshift"])
    assert z == 2.2 and markers(opened) == expected_markers(z)
    opened.slide(opened.find("#spectra-redshift"), 0.5)
    assert markers(opened) == expected_markers(0.5)
    assert opened.find("#spectra-redshift-number").get_attribute("value") == "0.5000"
    opened.retype(opened.find("#spectra-redshift-number"), "1.2345")
    assert markers(opened) == expected_markers(1.2345)
    opened.click("#spectra-redshift-reset")
    assert markers(opened) == expected_markers(2.2)
    opened.click("#spectra-next")
    assert markers(opened) == expected_markers(float(facts(opened)["catalog redshift"]))
    names = opened.js("return document.getElementById('spectra-plot').layout.annotations.map((a) => a.text)")
    assert set(names) == {*markers(opened), "saliency"}


def test_saliency_is_drawn_below_the_flux(opened: Browser) -> None:
    strip = opened.js("""const s = document.getElementById('spectra-plot').data.find((t) => t.type === 'heatmap');
        return {num: s.z[0].length, low: s.zmin, high: s.zmax, axis: s.yaxis}""")
    opened.screenshot("spectra", opened.find("#spectra"))
    assert strip["num"] == LENGTH and strip["low"] == -strip["high"] < 0 and strip["axis"] == "y2"


def covered(browser: Browser, over: str, under: str) -> list[str]:
    """Ids of the plots in which an element lies over another."""
    script = """const box = (plot, name) => plot.querySelector(name)?.getBoundingClientRect();
        return [...document.querySelectorAll('.js-plotly-plot')].filter((plot) => {
          const [a, b] = [box(plot, arguments[0]), box(plot, arguments[1])];
          return a && b && a.width && b.width && a.left < b.right && b.left < a.right
            && a.top < b.bottom && b.top < a.bottom;
        }).map((plot) => plot.id)"""
    found: list[str] = browser.js(script, over, under)
    return found


def test_a_phone_shows_legends_tables_and_both_trials(browser: Browser, page: Path) -> None:
    with browser.narrow(400):
        browser.open(page)
        for plot in browser.find_all("[data-figure], [id$=-plot]"):
            browser.draw(plot.get_attribute("id") or "")
        browser.screenshot("report-400", browser.find("main"))
        assert len(browser.find_all(".legend")) >= 2 and covered(browser, ".modebar", ".legend") == []
        hidden = "return [...document.querySelectorAll('.scroll')].map((box) => box.scrollWidth - box.clientWidth)"
        assert set(browser.js(hidden)) == {0}
        heads = [cell.text for cell in browser.find_all("#compare-tables thead th")]
        assert heads[:3] == ["differs", "trial 0", "trial 1"]
        # A row of the summary's table is a block that names its columns.
        names = browser.js("return [...document.querySelectorAll('#head td')].map((cell) => cell.dataset.name)")
        assert "test macro-F1" in names


@pytest.mark.parametrize("width_px", [400, 1400])
def test_the_names_of_lines_do_not_overlap(width_px: int, browser: Browser, page: Path) -> None:
    script = """return [...document.querySelectorAll('#spectra-plot .annotation-text-g')]
        .map((g) => g.getBoundingClientRect()).filter((box) => box.height > box.width * 0.9 || box.width < 20)
        .map((box) => [box.left, box.right]).sort((a, b) => a[0] - b[0])"""
    with browser.narrow(width_px):
        browser.open(page)
        browser.draw("spectra-plot")
        for redshift in (0, 0.4):
            browser.slide(browser.find("#spectra-redshift"), redshift)
            boxes = browser.wait(f"const b = (() => {{ {script} }})(); return b.length > 5 && b")
            assert all(first[1] <= second[0] + 1 for first, second in pairwise(boxes))
        browser.screenshot(f"lines-{width_px}", browser.find("#spectra"))
