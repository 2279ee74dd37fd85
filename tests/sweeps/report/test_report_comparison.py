"""The comparison of trials in a real Chromium: each control does what its label promises."""

from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from report_runs import make_report, make_run, make_survey, make_trial

from sweeps.report.page import build_page

pytestmark = pytest.mark.usefixtures("nothing_amiss")


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
    browser.js("document.getElementById('compare').scrollIntoView()")  # what is near the window is built, in its time
    browser.wait("return document.querySelectorAll('#compare-tables > table').length > 0")
    cells = {row[0]: row[1:] for row in table(browser, 1) + table(browser, 2)}
    marked = {name: [place for place, cell in enumerate(row) if "the best" in cell] for name, row in cells.items()}
    assert {name: places for name, places in marked.items() if places} == {"val/macro_f1": [0], "val/log_loss": [0]}
    assert cells["val/macro_f1, spread of seeds"] == ["0", "0.01"] and cells["val/accuracy"] == ["0.75", "0.75"]
