"""The dashboard in a real browser, on a sweep that is still running."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import search_runs
from browser import Browser
from dashboard_runs import dashboard, end, png, track_online
from search_runs import Process
from waiting import await_that

pytest.importorskip("optuna_dashboard")
pytestmark = pytest.mark.slow

TEXT = "return document.body.innerText.includes(arguments[0])"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for studies, empty at first; whatever runs there ends with the test."""
    yield tmp_path / "sweeps"
    for hold in (tmp_path / "sweeps").glob("*/hold"):
        hold.unlink()


def begin(folder: Path, name: str) -> Process:
    """A sweep of six trials, two of which have trained and wait for `hold` to go."""
    study = folder / name
    study.mkdir(parents=True)
    (study / "hold").touch()
    process = search_runs.start(study, f"sweep.study_name={name}", "sweep.num_trials=6")
    search_runs.await_begun(study, 2, process)
    return process


def num_ended(study: Path) -> int:
    return sum(trial.state.is_finished() for trial in search_runs.trials(study))


def let_two_end(study: Path, process: Process) -> str:
    """Two trials end with a picture each, the first with a page in a tracker; the sweep resumes the others.

    Returns:
        The page's address.
    """
    for run in (study / "0", study / "1"):
        (run / "plots").mkdir()
        (run / "plots" / "curves.png").write_bytes(png(40, 30))
    url = track_online(study / "0")
    (study / "hold").rename(study / "held")
    await_that(lambda: num_ended(study) >= 2, process)
    (study / "held").rename(study / "hold")
    return url


def visit(browser: Browser, url: str, text: str) -> None:
    browser.driver.get(url)
    browser.wait(TEXT, text)


@pytest.mark.usefixtures("no_key")
def test_a_running_sweep_can_be_watched(folder: Path, browser: Browser) -> None:
    first = begin(folder, "first")
    url = let_two_end(folder / "first", first)
    browser.open(Path("/dev/null"))  # forgets errors of other tests
    with dashboard(folder) as (address, process):
        visit(browser, address, "0. first")
        browser.screenshot("dashboard_studies")

        visit(browser, f"{address}/dashboard/studies/0/trials?numbers=0", "curves.png")
        links = "return [...document.querySelectorAll('a')].map(link => link.href)"
        assert url in browser.js(links) and browser.js(TEXT, str(folder / "first" / "0"))
        assert browser.js(TEXT, "search_app.py")
        # The picture was loaded, not merely linked.
        browser.wait("return [...document.images].some(image => image.naturalWidth === 40)")
        browser.screenshot("dashboard_trial")

        # What the sweep does next comes by itself, on the page that is open.
        num_before = len(search_runs.trials(folder / "first"))
        assert first.poll() is None and num_before < 6
        (folder / "first" / "hold").unlink()
        browser.wait(TEXT, "6 Trials")
        assert "6 of 6" in search_runs.finish(first)

        # A study that begins later is listed without a restart.
        second = begin(folder, "second")
        visit(browser, address, "1. second")
        (folder / "second" / "hold").unlink()
        search_runs.finish(second)
        assert browser.errors() == []
        assert [url for url in browser.requests() if not url.startswith(address)] == []
        assert end(process) == "\nThe dashboard has ended.\n"
