"""Make the pictures in the docs from a small sweep, which is run first: report, dashboard and terminal.

    python tools/pictures.py                 # about 3 minutes on 2 cores; needs Chromium and the extras test, dashboard

The sweep has fixed seeds and a single slot, so that the same version draws the same trials. It is kept in
build/pictures, and run again only if that is deleted.
"""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

from rich.console import Console
from rich.text import Text

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "sweeps" / "helpers"))

from browser import Browser, open_browser  # noqa: E402  (the tests' own)

OUT = REPOSITORY / "docs" / "pictures"
WORK = REPOSITORY / "build" / "pictures"  # commands run here, as in a checkout
STUDY = WORK / "outputs" / "sweeps" / "demo"
MAX_BYTES = 300_000
COLUMNS, ROWS = 124, 60
SWEEP = (
    "experiment=debug",
    "sampler=fractions",
    "model.width=4",
    "data.num_spectra=3000",
    "num_threads=1",
    "tracker=none",
    "schedule.stages.0.epochs=6",
    "schedule.stages.0.steps=20",
    "schedule.batch_size=64",
    "model.dilations=choice([1,2,4],[1,3,9])",
    "optimizer.lr=tag(log,interval(1e-3,1e-2))",
    "sampler.fractions=choice([0.7,0.12,0.1,0.08],[0.4,0.2,0.2,0.2],[0.25,0.25,0.25,0.25])",
    "sweep.study_name=demo",
    "sweep.num_trials=12",
    "sweep.pruner=median",
    "sweep.pruning.min_steps=3",
)
# One slot: every trial is drawn and pruned by comparison with the same earlier trials, in the same order.
ONE_SLOT = ("hydra.launcher.devices=cpu", "hydra.launcher.jobs_per_device=1")
PAGE = """<meta charset="utf-8"><body style="margin:0"><main style="width:max-content;background:#1e1e1e;color:#e8e8e8;
padding:14px 18px"><pre style="margin:0;font:15px/1.17 'DejaVu Sans Mono',monospace">{code}</pre></main>"""


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    make_checkout()
    ended = sweep_output()
    best, *_, last = [trial["number"] for trial in json.loads((STUDY / "sweep.json").read_text())["best"]]
    in_terminal("-m", "sweeps.report", "demo", "--out", "report.html")
    with tempfile.TemporaryDirectory() as profile, open_browser(Path(profile)) as browser:
        browser.driver.set_window_size(1280, 900)
        terminal(browser, "sweep", "run.py -m ... sweep.num_trials=12 sweep.pruner=median", last_table(ended))
        compare = ("-m", "sweeps.compare", "demo", f"demo:{last}")
        terminal(browser, "compare", " ".join(compare), in_terminal(*compare))
        report(browser)
        dashboard(browser, best)
    return check_sizes()


def make_checkout() -> None:
    """Link what commands need of the repository into the folder where they run."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("run.py", "conf"):
        if not (WORK / name).exists():
            (WORK / name).symlink_to(REPOSITORY / name)


def sweep_output() -> str:
    """The output of the sweep in a terminal, without the live table, which is removed when it ends."""
    kept = WORK / "sweep.txt"
    if not kept.is_file():
        environment = environment_of() | {"FORCE_COLOR": "1"}
        command = [sys.executable, "run.py", "-m", *SWEEP, *ONE_SLOT]
        kept.write_text(subprocess.run(command, cwd=WORK, env=environment, stdout=PIPE, text=True, check=True).stdout)
    return kept.read_text()


def in_terminal(*arguments: str) -> str:
    """The output of a command in a terminal."""
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as shown:  # noqa: PTH123  # a descriptor, not a path
        with subprocess.Popen([sys.executable, *arguments], cwd=WORK, env=environment_of(), stdout=theirs) as process:
            os.close(theirs)
            parts = []
            with contextlib.suppress(OSError):  # the command has closed its end of the terminal
                while part := shown.read(1 << 16):
                    parts.append(part)
        assert process.returncode == 0, arguments
    return b"".join(parts).decode().replace("\r\n", "\n")


def environment_of() -> dict[str, str]:
    return os.environ | {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "PYTHONPATH": str(REPOSITORY)}


def last_table(output: str) -> str:
    """The table at the end of a sweep's output, and what follows it."""
    lines = output.splitlines()
    start = next(k for k, line in enumerate(lines) if "Study demo, best first" in Text.from_ansi(line).plain)
    return "\n".join(lines[start:])


def terminal(browser: Browser, name: str, command: str, output: str) -> None:
    """Make a picture of a command and its output, as a terminal shows them."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere)
        console.print(Text(f"$ python {command}", "bold"), Text.from_ansi(output), sep="\n")
        page = WORK / f"{name}.html"
        page.write_text(console.export_html(code_format=PAGE, inline_styles=True), encoding="utf-8")
    browser.open(page)
    assert browser.find("main").screenshot(str(OUT / f"{name}.png"))


def report(browser: Browser) -> None:
    """Make pictures of the top of the report, and of its browser of spectra."""
    browser.open(WORK / "report.html")
    shoot(browser, "report")
    if browser.find_all("#spectra"):
        browser.js("document.getElementById('spectra').scrollIntoView()")
        shoot(browser, "spectra")
    else:
        print("The report has no section of spectra: there is no picture of it.")


def dashboard(browser: Browser, best: int) -> None:
    """Make pictures of the study's history, and of its best trial with its note."""
    with served() as address:
        browser.driver.get(f"{address}/dashboard/studies/0")
        browser.wait("return document.querySelector('.main-svg') !== null")
        shoot(browser, "dashboard")
        browser.driver.get(f"{address}/dashboard/studies/0/trials?numbers={best}")
        browser.wait("return document.body.innerText.includes('run folder')")
        shoot(browser, "trial")


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Run a dashboard on the sweep; yields its address."""
    command = [sys.executable, "-m", "sweeps.dashboard", "--port", "0"]
    with subprocess.Popen(command, cwd=WORK, env=environment_of(), stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        address = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert address, "the dashboard did not begin"
        try:
            yield address[0]
        finally:
            process.terminate()


def shoot(browser: Browser, name: str) -> None:
    """Save a picture of the window, once its drawings no longer change."""
    before, now = None, browser.driver.get_screenshot_as_png()
    while before != now:
        time.sleep(1)
        before, now = now, browser.driver.get_screenshot_as_png()
    (OUT / f"{name}.png").write_bytes(now)


def check_sizes() -> int:
    large = [path for path in sorted(OUT.glob("*.png")) if path.stat().st_size > MAX_BYTES]
    for path in sorted(OUT.glob("*.png")):
        print(f"{path.relative_to(REPOSITORY)}  {path.stat().st_size / 1000:.0f} kB")
    if large:
        print(f"{large[0].name} is larger than {MAX_BYTES / 1000:.0f} kB.", file=sys.stderr)
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
