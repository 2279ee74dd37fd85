"""Section: the best run by itself: how it learned, which classes it knows, where it errs, and how far it is sure."""

from sweeps.report.catalog import with_numbers
from sweeps.report.figures.confusion import confusion_figures, confusion_matrix
from sweeps.report.figures.curves import curves
from sweeps.report.figures.mistakes import mistakes_by_redshift, mistakes_by_subclass
from sweeps.report.figures.per_class import f1_figure, precision_recall
from sweeps.report.figures.reliability import reliability
from sweeps.report.figures.signal_to_noise import CATALOG_NAME, f1_by_snr
from sweeps.report.model import Report
from sweeps.report.section import Figure, Section, render
from sweeps.report.sections.missing_run import gone_section
from sweeps.results.run import Run

NAME, TITLE = "best-run", "Best run"


def section(report: Report) -> Section | None:
    """None if no run has finished; one sentence if the best one's folder is gone."""
    run = report.best_run
    if report.best is None or run is None:
        return gone_section(report, NAME, TITLE)
    split = "test" if len(run.split("test")) or run.result.get("confusion", {}).get("test") else "validation"
    predictions, names = run.split(split), run.class_names
    counts = confusion_matrix(run.result, split, predictions, names)
    catalog = with_numbers(run.survey.catalog) if run.survey and len(predictions) else None
    by_snr = f1_by_snr(catalog, predictions, names) if catalog is not None else None
    groups: dict[str, list[Figure | None]] = {
        "By epoch": [curves(run)],
        "By class": [f1_figure(run.result, split, names), precision_recall(predictions, names)],
        "Which classes are taken for which": [*confusion_figures(counts, names)] if counts is not None else [],
        "How far its probabilities can be trusted": [reliability(predictions)],
        "By signal-to-noise": [by_snr],
        "Mistakes by subclass": [mistakes_by_subclass(catalog, predictions, names)] if catalog is not None else [],
        "Mistakes by redshift": [mistakes_by_redshift(catalog, predictions, names)] if catalog is not None else [],
    }
    shown = {heading: [figure for figure in figures if figure] for heading, figures in groups.items()}
    html = render(
        "best_run.html",
        trial=report.best,
        replicate=report.replicate,
        chosen=_chosen_by_validation(run, report),
        is_study=report.study is not None,
        run=run,
        split=split,
        num_spectra=run.result.get(f"{'val' if split == 'validation' else split}/num_spectra"),
        groups={heading: figures for heading, figures in shown.items() if figures},
        has_predictions=len(predictions) > 0,
        without_snr=by_snr is None,
        without_survey=run.survey is None,
        snr=CATALOG_NAME,
    )
    figures = tuple(figure for figures in shown.values() for figure in figures)
    return Section(NAME, TITLE, html, figures)


def _chosen_by_validation(run: Run, report: Report) -> str:
    """What the validation split has chosen, so that scores on it are optimistic; empty if nothing."""
    if not report.is_chosen_on_validation:
        return ""
    keeps_best = not run.keeps_last and "method" not in run.result  # a classical method has no epochs
    chosen = ["the best epoch"] * keeps_best + ["the best trial"] * (report.study is not None)
    return f"{' and '.join(chosen)} {'was' if len(chosen) == 1 else 'were'} chosen" if chosen else ""
