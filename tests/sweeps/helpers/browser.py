"""Headless Chromium, as a reader of a page uses it, with its errors and requests."""

import base64
import contextlib
import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

SCREENSHOTS = Path(__file__).resolve().parents[3] / "build" / "screenshots"
TIMEOUT_S = 300
LOCAL = ("file:", "data:", "blob:", "about:", "chrome:")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


class Browser:
    """One window; `driver` is selenium's."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path) -> None:
        """Load a page from disk; errors and requests of earlier pages are forgotten."""
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.get(page.resolve().as_uri())

    def js(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns: js("return 1 + arguments[0]", 2)."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, script: str, *arguments: Any) -> Any:
        """The first value that counts as true; the test fails if none comes."""
        condition = WebDriverWait(self.driver, TIMEOUT_S, poll_frequency=0.05)
        return condition.until(lambda _driver: self.js(script, *arguments), f"never true: {script}")

    def click(self, target: str | WebElement) -> None:
        """Click an element, or what a selector finds, in the middle of the window, clear of the sticky navigation."""
        element = self.find(target) if isinstance(target, str) else target
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def press(self, *keys: str) -> None:
        """Type into whatever has the focus: press("j"), press(Keys.ARROW_RIGHT)."""
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def slide(self, slider: WebElement, value: float) -> None:
        """Move a range input to a value, as its script sees it."""
        self.js("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", slider, value)

    def retype(self, box: WebElement, text: str) -> None:
        box.send_keys(Keys.CONTROL, "a", Keys.NULL, text, Keys.TAB)

    def draw(self, place: str) -> None:
        """Scroll to a figure by its id and wait until Plotly has drawn it."""
        self.js("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", place)
        self.wait("return document.getElementById(arguments[0]).querySelector('.main-svg') !== null", place)

    @contextlib.contextmanager
    def narrow(self, width_px: int) -> Iterator[None]:
        """Give the window this width inside the block."""
        size = {"width": width_px, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def hidden_px(self) -> int:
        """Pixels of the page beyond the window's right edge, which need a scroll bar."""
        hidden: int = self.js("const e = document.documentElement; return e.scrollWidth - e.clientWidth")
        return hidden

    def errors(self) -> list[str]:
        """Errors and warnings of the console since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]

    def requests(self) -> list[str]:
        """Addresses outside this machine that were asked for since the page was opened."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith(LOCAL)]

    def violations(self) -> dict[str, list[str]]:
        """Rules of accessibility (axe-core's, which include contrast) that the page breaks, with the elements."""
        self.js(resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
        script = """const tell = arguments[0];
            const broken = (rule) => rule.nodes.map((node) => node.html + node.failureSummary);
            axe.run().then((found) => tell(found.violations.map((rule) => [rule.id, broken(rule)])))"""
        self.driver.set_script_timeout(TIMEOUT_S)
        return dict(self.driver.execute_async_script(script))

    def screenshot(self, name: str, element: WebElement | None = None) -> Path:
        """Save a picture of the window, or of the whole of one element, as build/screenshots/<name>.png."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path, how = SCREENSHOTS / f"{name}.png", {}
        if element is not None:
            self.js("arguments[0].scrollIntoView()", element)
            box = self.js("return arguments[0].getBoundingClientRect().toJSON()", element)
            top = box["top"] + self.js("return window.scrollY")
            clip = {"x": box["left"], "y": top, "width": box["width"], "height": box["height"], "scale": 1}
            how = {"clip": clip, "captureBeyondViewport": True}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", **how})
        path.write_bytes(base64.b64decode(taken["data"]))
        return path


@contextlib.contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile in an empty folder; the test is skipped if Chromium is not installed."""
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver_path is None:
        pytest.skip("no Chromium here: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(driver_path))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
