"""Section: what was searched, for how long, and what came of it."""

from collections import Counter
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from sweeps.invocation import command
from sweeps.report import format as words
from sweeps.report.figures.scores import complete, in_words
from sweeps.report.model import Report, ReportedTrial
from sweeps.report.section import Section, render
from sweeps.report.space_in_words import fixed, searched
from sweeps.results.out_of_fold import pooled
from sweeps.results.paired_difference import Difference, mean_interval, paired_differences
from sweeps.results.run import Run
from sweeps.results.same_split import different_splits
from sweeps.results.seeds_or_folds import replicate
from sweeps.results.sweep_json import NUM_SHOWN
from sweeps.results.trial_command import overrides_alone, which_seed
from sweeps.results.trial_row import shown
from sweeps.study.attributes import REUSED_FROM, SEEDS, SPREAD

SPLITS = {"val": "validation", "test": "test"}
RULE = "/decision"  # behind a split: by the runs' decision rule, if it is not argmax
SCORED = {
    key: name
    for split, title in SPLITS.items()
    for key, name in ((split, title), (f"{split}{RULE}", f"{title}, decision rule"))
}
MOST_RUNS = 200


def section(report: Report) -> Section:
    best, reference = report.best, report.reference
    compared = [trial for trial in (best, reference) if trial]
    rows = [Row.of(trial) for trial in {trial.number: trial for trial in compared}.values()]
    difference, why_no_difference = _difference(best, reference)
    html = render(
        "head.html",
        report=report,
        rows=rows,
        runs=_runs(report) if report.study is None else [],
        most_runs=MOST_RUNS,
        splits={key: name for key, name in SCORED.items() if any(key in row.splits for row in rows)},
        few=[sentence for row in rows for sentence in _few(row.trial)],
        # Places of objectives. The one on validation has a column of its own already.
        judged=[
            place
            for place, name in enumerate(report.objectives)
            if name != "val/macro_f1" or not all("val" in row.splits for row in rows)
        ],
        different_splits=different_splits((trial.configuration, trial.runs) for trial in _first(report)),
        best=best,
        reference=reference,
        words=words,
        directions=dict(zip(report.objectives, map(in_words, report.directions), strict=True)),
        command=best_command(report),
        which_seed=which_seed(best.attributes, report.seed_key) if best else "",
        configuration={axis: shown(value) for axis, value in best.configuration.items()} if best else {},
        difference=difference,
        why_no_difference=why_no_difference,
        ensemble=report.ensemble,
        ensemble_scores=_ensemble_scores(report),
        ensemble_difference=report.ensemble.difference if report.ensemble else None,
        num_complete=len(complete(report)),
        replicate=report.replicate,
        num_seeds=max((len(trial.runs) for trial in compared), default=1),
        units=_units([run for trial in compared for run in trial.runs]),
        **_budget(report),
        **_space(report),
    )
    return Section("head", "Summary", html, script="head.js")


@dataclass(frozen=True)
class Row:
    """A trial in the table of the best one and the reference.

    Args:
        splits: "val", "test" and those by the decision rule -> macro-F1 and its interval, if the run has them.
    """

    trial: ReportedTrial
    objectives: list[str]
    splits: dict[str, tuple[str, str]]
    num_parameters: str
    time: str

    @classmethod
    def of(cls, trial: ReportedTrial) -> "Row":
        runs = [run for run in trial.runs if run.result]
        result = runs[0].result if runs else {}
        num = max(len(trial.attributes.get(SEEDS) or ()), len(trial.runs))
        having = [split for split in SCORED if any(f"{split}/macro_f1" in run.result for run in runs)]
        splits = {split: _scored(runs, split, num) for split in having}
        return cls(trial, _objectives(trial), splits, words.count(result.get("num_parameters")), _time(trial, result))


def _scored(runs: list[Run], split: str, num_runs: int) -> tuple[str, str]:
    """Macro-F1 of a trial and its interval; of several seeds the mean and the spread, and the interval of the mean.

    Seeds without the score are left out, and how many have it is said.

    Args:
        runs: that are there, and have a result.
        num_runs: that the trial had.
    """
    name = f"{split}/macro_f1"
    having = [run for run in runs if words.is_finite(run.result.get(name))]
    scores = [float(run.result[name]) for run in having]
    if not scores:
        return words.score(None), words.interval(None, None)
    of_how_many = "" if len(having) == num_runs else f" ({len(having)} of {num_runs} {replicate(runs)}s)"
    if len(scores) == 1:
        low, high = (having[0].result.get(f"{name}_{end}") for end in ("low", "high"))
        return f"{words.score(scores[0])}{of_how_many}", words.interval(low, high)
    interval = mean_interval(having, SPLITS[split.removesuffix(RULE)], by_rule=split.endswith(RULE))
    mean = f"{words.score(fmean(scores))} ± {words.score(stdev(scores))}{of_how_many}"
    return mean, words.interval(*interval or (None, None))


def _ensemble_scores(report: Report) -> list[tuple[str, str, str]]:
    """Of the ensemble, where it was scored, macro-F1 and its interval; empty if there is none."""
    if report.ensemble is None:
        return []
    run = report.ensemble.run
    return [(name, *_scored([run], key, 1)) for key, name in SCORED.items() if f"{key}/macro_f1" in run.result]


def _units(runs: list[Run]) -> str:
    """What is resampled for an interval."""
    has_objects = any(f"{split}/num_groups" in run.result for run in runs for split in SPLITS)
    return "objects" if has_objects else "spectra"


def _few(trial: ReportedTrial) -> list[str]:
    """A sentence for each split that has few spectra of a class; every seed has the same."""
    from spectral.scoring.few import few_spectra

    finished = [run for run in trial.runs if run.result]
    if not finished:
        return []
    first = {"val": pooled(finished)[0], "test": finished[0]}
    counts = {
        title: {
            name: int(first[split].result.get(f"{split}/num_spectra/{name}", 0)) for name in finished[0].class_names
        }
        for split, title in SPLITS.items()
    }
    sentences = (few_spectra(of_split, f"{title} ({trial.title})") for title, of_split in counts.items())
    return [sentence for sentence in sentences if sentence]


def _runs(report: Report) -> list[tuple[str, list[str]]]:
    """Of run folders: the name of each, and its objectives, test macro-F1, parameters, epochs and time; best first."""
    best = set(report.best_first)
    numbers = [*report.best_first, *(trial.number for trial in report.trials if trial.number not in best)]
    lines = []
    for trial in map(report.by_number.__getitem__, numbers):
        result = trial.runs[0].result if trial.runs else {}
        objectives = _objectives(trial) or ["-"] * len(report.objectives)
        # An average has no epochs: they are stored as 0.
        epochs = None if "ensemble" in result else result.get("num_epochs")
        counts = [words.count(number) for number in (result.get("num_parameters"), epochs)]
        lines.append(
            (trial.title, [*objectives, words.score(result.get("test/macro_f1")), *counts, _time(trial, result)])
        )
    return lines


def best_command(report: Report) -> str:
    """The command of the best trial by now; empty if there is none."""
    if report.best is None or not report.best.overrides:
        return ""
    return command(report.program, overrides_alone(report.best.attributes, report.seed_key, report.best.runs))


def _objectives(trial: ReportedTrial) -> list[str]:
    spread = trial.attributes.get(SPREAD)
    values = [words.score(value) for value in trial.values or ()]
    return [f"{value} ± {spread[i]:.4f}" for i, value in enumerate(values)] if spread else values


def _time(trial: ReportedTrial, result: dict[str, Any]) -> str:
    return words.duration(trial.seconds if trial.seconds is not None else result.get("time/train_s"))


def _first(report: Report) -> list[ReportedTrial]:
    """The candidates that the table of the sweep lists."""
    return [report.by_number[number] for number in report.best_first[:NUM_SHOWN]]


def _difference(best: ReportedTrial | None, reference: ReportedTrial | None) -> tuple[Difference | None, str]:
    """On the test split, or on validation if it was not read; and the reason if there is none."""
    if best is None or reference is None or best.number == reference.number:
        return None, ""
    found, reason = paired_differences(best.runs, reference.runs)
    return found.get("test", found.get("validation")), reason


def _budget(report: Report) -> dict[str, Any]:
    starts = [trial.started for trial in report.trials if trial.started]
    ends = [trial.ended for trial in report.trials if trial.ended]
    ran = [t.seconds for t in report.trials if t.seconds is not None]
    return {
        "states": Counter(trial.state for trial in report.trials),
        "num_reused": sum(REUSED_FROM in trial.attributes for trial in report.trials),
        "began": min(starts, default=None),
        "ended": max(ends, default=None),
        "spent_s": sum(ran) if ran else None,
        "num_ended": sum(trial.state in ("complete", "pruned", "fail") for trial in report.trials),
        "num_outside": sum(trial.is_outside for trial in report.trials),
    }


def _space(report: Report) -> dict[str, Any]:
    space = report.identity.get("space", {})
    return {"searched": searched(space), "fixed": fixed(space, report.identity.get("fixed", []))}
