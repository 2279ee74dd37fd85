"""Section: the spectra that the best run got wrong or barely right, one at a time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.report.catalog import with_numbers
from sweeps.report.model import Report
from sweeps.report.section import Section, render
from sweeps.report.sections.missing_run import gone_section
from sweeps.report.spectra_choice import PROBABILITY, choose, probability_columns
from sweeps.report.spectra_codes import block_means, block_size, encoded, encoded_about_zero, runs, thin
from sweeps.report.spectra_saliency import Saliency, saliency_of
from sweeps.report.spectral_lines import LINES
from sweeps.results.run import Run

MAX_BYTES = 6_500_000  # of base64; the page stays under 15 MB
NAME, TITLE = "spectra", "Spectra"


def section(report: Report) -> Section | None:
    """None if there is nothing to show; one sentence if the best run's folder is gone."""
    run = report.best_run
    if not report.options.max_spectra:
        return None
    if run is None:
        return gone_section(report, NAME, TITLE)
    if run.predictions.empty:
        return None
    if run.survey is None:
        html = render("spectra.html", run=run, trial=report.best, replicate=report.replicate, missing=True)
        return Section(NAME, TITLE, html)
    split = "test" if len(run.split("test")) else "validation"
    shown = _shown(run, split, report.options.max_spectra)
    if shown.frame.empty:
        return None
    saliency = saliency_of(run, shown.rows, list(shown.frame["predicted"])) if report.options.saliency else None
    data = _data(run, shown, saliency)
    html = render(
        "spectra.html",
        missing=False,
        run=run,
        trial=report.best,
        replicate=report.replicate,
        split=split,
        num_shown=len(shown.frame),
        num_wrong_shown=int(shown.frame["wrong"].sum()),
        num_wrong=int((run.split(split)["label"] != run.split(split)["predicted"]).sum()),
        num_all=len(run.split(split)),
        data=data,
        block=shown.block,
        why_no_saliency=saliency if isinstance(saliency, str) else None,
    )
    libraries = ("spectra_reading.js", "spectra_plot.js")
    return Section(NAME, TITLE, html, data=data, script="spectra.js", libraries=libraries)


@dataclass(frozen=True)
class Shown:
    """What is shown, in order.

    Args:
        frame: chosen predictions, one row per spectrum [n].
        rows: of the survey [n].
        block: pixels a point.
    """

    frame: pd.DataFrame
    rows: NDArray[np.int64]
    block: int


def _shown(run: Run, split: str, max_spectra: int) -> Shown:
    survey = run.survey
    assert survey is not None
    block = block_size(survey.length)
    num_points = survey.num_channels * -(-survey.length // block)
    num_bytes = num_points * 4 * 4 / 3  # flux 2, error 1, saliency 1; base64
    ids = pd.Index(run.split(split)["id"].astype(str))
    rows = pd.Index(survey.catalog["id"].astype(str)).get_indexer(ids)
    predicted = run.split(split).assign(row=rows)[rows >= 0]
    frame = choose(predicted, min(max_spectra, max(1, int(MAX_BYTES // num_bytes))))
    return Shown(frame, frame["row"].to_numpy(np.int64), block)


def _data(run: Run, shown: Shown, saliency: Saliency | str | None) -> dict[str, Any]:
    """What spectra.js reads."""
    survey = run.survey
    assert survey is not None
    wave = survey.wave_angstrom
    x = np.arange(survey.length, dtype=np.float64) if wave is None else wave
    catalog = with_numbers(survey.catalog.iloc[shown.rows])
    heat = saliency if not isinstance(saliency, str) else None
    names = probability_columns(shown.frame)
    probability = shown.frame[names].to_numpy(np.float64)
    return {
        "x": np.round(block_means(x, shown.block), 2).tolist(),
        "unit": "pixels" if shown.block == 1 else "points",
        "inAngstrom": wave is not None,
        "hasErrors": survey.ivar is not None,
        "hasSaliency": heat is not None,
        "hasSnr": "snr" in catalog and bool(catalog["snr"].notna().any()),
        "numChannels": survey.num_channels,
        "classes": [name.removeprefix(PROBABILITY) for name in names],
        "lines": [[name, list(places)] for name, places in LINES.items()] if wave is not None else [],
        "spectra": [
            _described(catalog.iloc[i], shown.frame.iloc[i], probability[i])
            | _coded(run, int(row), shown.block, None if heat is None else heat[i])
            for i, row in enumerate(shown.rows)
        ],
    }


def _described(entry: pd.Series, judged: pd.Series, probability: NDArray[np.floating[Any]]) -> dict[str, Any]:
    """What is shown of a spectrum: its catalog row, its row of predictions, and its probabilities [K]."""
    return {
        "id": str(judged["id"]),
        "label": str(judged["label"]),
        "predicted": str(judged["predicted"]),
        "wrong": bool(judged["wrong"]),
        "probability": [round(float(value), 4) for value in probability],
        "snr": _number(entry.get("snr")),
        "redshift": _number(entry.get("redshift")),
        "subclass": str(entry["subclass"]) if pd.notna(entry.get("subclass")) else None,
    }


def _number(value: Any) -> float | None:
    return float(f"{value:.6g}") if value is not None and np.isfinite(value) else None


def _coded(run: Run, row: int, block: int, saliency: Saliency | None) -> dict[str, Any]:
    """Masked stretches, and of each channel flux, logarithm of the error, and saliency."""
    survey = run.survey
    assert survey is not None
    ivar = None if survey.ivar is None else survey.ivar[row]
    mask = np.zeros(survey.length, bool) if survey.mask is None else np.asarray(survey.mask[row])
    thinned = thin(survey.flux[row], ivar, mask, block)
    channels = []
    for c, flux in enumerate(thinned.flux):
        channel = {"flux": encoded(flux, ~thinned.masked)}
        if thinned.sigma is not None:
            channel["logError"] = encoded(np.log(thinned.sigma[c]), num_bytes=1)
        if saliency is not None:
            channel["saliency"] = encoded_about_zero(block_means(saliency[c], block))
        channels.append(channel)
    return {"masked": runs(thinned.masked), "channels": channels}
