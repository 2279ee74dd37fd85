"""The browser of spectra and the comparison in a real Chromium: each control does what its label promises."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Browser
from report_runs import add_network, make_report, make_run, make_survey, make_trial
from selenium.webdriver.common.keys import Keys

from sweeps.report.page import build_page
from sweeps.report.spectral_lines import LINES

NUM, LENGTH = 24, 400
MASKED = slice(100, 110)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 spectra, galaxies taken for qso, and eight trials."""
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(0)
    mask = np.zeros((NUM, LENGTH), dtype=bool)
    mask[:, MASKED] = True
    flux = (100 + np.arange(NUM)[:, None] + 2 * rng.normal(size=(NUM, LENGTH))).astype(np.float32)
    survey = make_survey(folder / "survey", NUM, LENGTH, flux=flux, mask=mask)
    run = make_run(folder / "run", survey, [(0, 2, 2)[row % 3] for row in range(NUM)], np.linspace(0.6, 0.9, NUM))
    add_network(run, survey)
    trials = [
        make_trial(n, 0.7 - n / 100, configuration={"lr": 10.0**-n, "loss": "focal", "width": 8 if n < 4 else 16})
        for n in range(8)
    ]
    trials[0] = make_trial(0, 0.7, configuration=trials[0].configuration, runs=(run,))
    path = folder / "report.html"
    path.write_text(build_page(make_report(folder, trials)), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    """The page with both plots drawn; at the end of a test it has had no error and made no request."""
    browser.open(page)
    for place in ("compare-plot", "spectra-plot"):
        browser.draw(place)
    return browser


@pytest.fixture(autouse=True)
def nothing_amiss(browser: Browser) -> Any:
    yield
    assert browser.errors() == [] and browser.requests() == []


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


def boxes(browser: Browser) -> dict[int, Any]:
    return {int(box.get_attribute("value") or -1): box for box in browser.find_all("#compare-list input")}


def table(browser: Browser, number: int) -> list[list[str]]:
    script = """return [...document.querySelectorAll(arguments[0])].map(
        (row) => [...row.cells].map((cell) => cell.textContent.trim()))"""
    found: list[list[str]] = browser.js(script, f"#compare-tables > table:nth-of-type({number}) tr")
    return found


def test_trials_are_compared(opened: Browser) -> None:
    assert [n for n, box in boxes(opened).items() if box.is_selected()] == [0, 1]
    assert table(opened, 1) == [["differs", "trial 0", "trial 1"], ["lr", "1.0", "0.1"]]
    assert opened.find("#compare-tables details summary").text == "2 equal"
    opened.click("#compare-tables summary")
    equal = opened.find_all("#compare-tables details tbody tr")
    assert [row.text for row in equal] == ["loss focal focal", "width 8 8"]
    opened.click(boxes(opened)[5])
    assert ["width", "8", "8", "16"] in table(opened, 1)
    scores = next(row for row in table(opened, 2) if row[0] == "val/macro_f1")
    assert scores[1:] == ["0.7, the best", "0.69", "0.65"]
    curves = opened.js("return document.getElementById('compare-plot').data.map((t) => [t.name, t.x, t.y])")
    assert curves[2] == ["trial 5", [1, 2], [0.325, 0.65]] and len(curves) == 3
    opened.screenshot("compare", opened.find("#compare"))
    opened.click(boxes(opened)[0])
    assert table(opened, 1)[0] == ["differs", "trial 1", "trial 5"]


def test_at_most_six_trials_are_chosen(opened: Browser) -> None:
    for number in (2, 3, 4, 5):
        opened.click(boxes(opened)[number])
    assert [box.is_enabled() for box in boxes(opened).values()] == [True] * 6 + [False] * 2
    opened.click("#compare-clear")
    assert all(box.is_enabled() and not box.is_selected() for box in boxes(opened).values())
    assert opened.find("#compare-tables").text == "Nothing is chosen."
    assert not opened.find("#compare-plot").is_displayed()
    opened.click(boxes(opened)[7])
    assert opened.js("return document.getElementById('compare-plot').data.length") == 1


def test_a_comparison_wider_than_the_window_has_its_own_scroll_bar(browser: Browser, page: Path) -> None:
    """The best trial is in the last column; hidden text marks it for screen readers."""
    with browser.narrow(600):
        browser.open(page)
        browser.draw("compare-plot")
        browser.click("#compare-clear")
        for number in (5, 4, 3, 2, 0):
            browser.click(boxes(browser)[number])
        scores = next(row for row in table(browser, 2) if row[0] == "val/macro_f1")
        assert scores[-1] == "0.7, the best"
        assert browser.hidden_px() == 0


def test_trials_are_found_by_any_part_of_their_configuration(opened: Browser) -> None:
    def found(text: str) -> list[int]:
        opened.retype(opened.find("#compare-search"), text)
        return [number for number, box in boxes(opened).items() if box.is_displayed()]

    assert found("width=16") == [4, 5, 6, 7]
    assert found("trial 3") == [3]
    assert found("FOCAL width=8") == [0, 1, 2, 3]
    assert found("nonsense") == [] and opened.find("#compare-found").text == "0 found, 2 chosen"


def test_only_metrics_with_a_better_direction_are_marked(browser: Browser, tmp_path: Path) -> None:
    """Not a spread, not a training loss, and no metric with equal values."""
    scores = {"val/accuracy": 0.75, "val/f1/qso": 0.5, "val/log_loss": 0.5, "train/loss": 0.25}
    survey = make_survey(tmp_path / "survey", 6, 50)
    trials = []
    for number in range(2):
        changed = scores | {"val/log_loss": 0.5 + number, "train/loss": 0.25 + number}
        run = make_run(tmp_path / str(number), survey, [0] * 6, [0.9] * 6, **changed)
        trials.append(make_trial(number, 0.5 - number / 10, runs=(run,), attributes={"spread": [0.01 * number]}))
    path = tmp_path / "report.html"
    path.write_text(build_page(make_report(tmp_path, trials)), encoding="utf-8")
    browser.open(path)
    cells = {row[0]: row[1:] for row in table(browser, 1) + table(browser, 2)}
    marked = {name: [place for place, cell in enumerate(row) if "the best" in cell] for name, row in cells.items()}
    assert {name: places for name, places in marked.items() if places} == {"val/macro_f1": [0], "val/log_loss": [0]}
    assert cells["val/macro_f1, spread of seeds"] == ["0", "0.01"] and cells["val/accuracy"] == ["0.75", "0.75"]


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
