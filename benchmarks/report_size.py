"""Measure how long the report of a large study takes to build and to open, and how large it is.

    python benchmarks/report_size.py                      # 1,000 trials, 50,000 test spectra, made up by big_study.py
    python benchmarks/report_size.py --folder /tmp/big    # kept there and reused

Needs Debian's chromium and chromium-driver. Opening is from disk, from the start of the navigation until the first
frame after the load event, median of the rounds; an empty page that holds Plotly alone takes turns with the report, so
that a machine that slows down slows both.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from big_study import Invention, make_study
from plotly.offline import get_plotlyjs
from selenium import webdriver

ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
BUILD = """
import sys
from sweeps.report.command import main
code = main(sys.argv[1:])
print("torch" in sys.modules)
sys.exit(code)
"""


def build(study: Path, page: Path, *options: str) -> tuple[float, bool]:
    """The seconds that `python -m sweeps.report` takes in its own process, and whether it imported torch."""
    started = time.perf_counter()
    command = [sys.executable, "-c", BUILD, str(study), "--out", str(page), *options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - started, printed.split()[-1] == "True"


def open_times(pages: list[Path], num_rounds: int) -> list[float]:
    """Median seconds that a browser takes to open each page."""
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or sys.exit("there is no chromium here")
        options.page_load_strategy = "none"
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            times = [[_open(driver, page) for page in pages] for _ in range(num_rounds + 1)]
        finally:
            driver.quit()
    return [statistics.median(column) for column in zip(*times[1:], strict=True)]  # the first round warms up


def _open(driver: webdriver.Chrome, page: Path) -> float:
    driver.get("about:blank")
    started = time.perf_counter()
    driver.get(page.as_uri())
    while driver.execute_script("return location.href + document.readyState") != f"{page.as_uri()}complete":
        time.sleep(0.005)
    driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0]))")
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep the study in this folder (default: do not keep it)")
    parser.add_argument("--num-trials", type=int, default=1000)
    parser.add_argument("--num-test", type=int, default=50_000)
    parser.add_argument("--num-rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (given.folder or Path(scratch) / "big").absolute()
        if not (folder / "study").is_dir():
            make_study(folder, Invention(num_trials=given.num_trials, num_test=given.num_test))
        page, empty = Path(scratch) / "report.html", Path(scratch) / "empty.html"
        seconds, has_torch = build(folder / "study", page, "--no-saliency")
        empty.write_text(f"<!doctype html><title>empty</title><script>{get_plotlyjs()}</script>", encoding="utf-8")
        opened, opened_empty = open_times([page, empty], given.num_rounds)
        print(f"build    {seconds:.1f} s, {'with' if has_torch else 'without'} torch")
        print(f"size     {page.stat().st_size / 1e6:.1f} MB, of which Plotly {empty.stat().st_size / 1e6:.1f} MB")
        ratio = opened / opened_empty
        print(f"opening  {opened:.2f} s, an empty page with Plotly {opened_empty:.2f} s: {ratio:.1f} times")


if __name__ == "__main__":
    main()
