"""A report with spectra and trials, for tests of its controls."""

from pathlib import Path

import numpy as np
from report_runs import add_network, make_report, make_run, make_survey, make_trial

from sweeps.report.page import build_page

NUM, LENGTH = 24, 400
MASKED = slice(100, 110)


def write_page(folder: Path) -> Path:
    """24 spectra, galaxies taken for qso, and eight trials."""
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
