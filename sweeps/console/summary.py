"""How a sweep ends: a table of its best trials, the command of the best one, and sweep.json."""

import statistics
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.console.best_trials_table import BestTrialsTable
from sweeps.errors import user_error_type
from sweeps.results.out_of_fold import scores_out_of_fold
from sweeps.results.ranking import is_feasible, ranked
from sweeps.results.run import Run
from sweeps.results.run_dirs import run_dirs
from sweeps.results.same_split import different_splits
from sweeps.results.seeds_or_folds import replicate_of
from sweeps.results.sweep_ensemble import SweepEnsemble
from sweeps.results.sweep_json import NUM_SHOWN, summary_of, write_summary
from sweeps.results.trial_command import predict_command, which_seed
from sweeps.results.trial_row import configuration
from sweeps.study.attributes import REUSED_FROM
from sweeps.study.paused import state_name
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing

MODEL = "model.json"  # in the run folder of a network
STATES = ("running", "paused", "complete", "pruned", "fail", "waiting")

if TYPE_CHECKING:
    from rich.console import Console


def summarize(study: SharedStudy, folder: Path, without_ensemble: str = "") -> None:
    """Print the best trials and write `<folder>/sweep.json`.

    Args:
        without_ensemble: why there is no ensemble, if one was asked for.

    Raises:
        UserError: the file cannot be written.
    """
    from spectral.terminal import Terminal

    trials = standing(study.trials())
    best = ranked(trials, study.study.directions)
    console = Terminal()
    if best:
        BestTrialsTable(study, best[:NUM_SHOWN], folder).print(console)
    if len(best) > NUM_SHOWN:
        console.print(f"and {len(best) - NUM_SHOWN} more", highlight=False)
    console.print(_counts(trials), highlight=False, markup=False, soft_wrap=True)
    if best and (left_out := _left_out(trials)):
        console.print(left_out, highlight=False, markup=False, soft_wrap=True)
    if doubt := different_splits((configuration(trial), _runs(trial, folder)) for trial in best[:NUM_SHOWN]):
        console.print(doubt, highlight=False, markup=False, soft_wrap=True)
    summary = summary_of(study, trials, best, folder)
    replicate = replicate_of(study.config.seed_key)
    if best:
        summary["out_of_fold"] = _show_out_of_fold(best[0], trials, folder, console) if replicate == "fold" else None
    for line in _final_lines(summary["final"], f"{replicate}s"):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if best:
        by = f" by {study.objectives[0]}" if len(study.objectives) > 1 else ""
        console.print(f"best{by}: {summary['best_command']}", highlight=False, markup=False, soft_wrap=True)
        if line := which_seed(best[0].user_attrs, study.config.seed_key):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        if line := _how_to_apply(best[0], folder, replicate):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        if not without_ensemble:
            summary["ensemble"] = _show_ensemble(best[0], trials, folder, console)
    if without_ensemble:
        console.print(without_ensemble, highlight=False, markup=False, soft_wrap=True)
    console.print(f"study {study.name}: {folder}", highlight=False, markup=False, soft_wrap=True)
    write_summary(summary, folder)


def _show_ensemble(
    best: "FrozenTrial", trials: "list[FrozenTrial]", folder: Path, console: "Console"
) -> dict[str, Any] | None:
    """Print the ensemble with its difference to the best trial, and the command that uses it; None if there is none."""
    ensemble = SweepEnsemble.of(folder, _runs(best, folder), f"trial {best.number}")
    if ensemble is None:
        return None
    made_s, lines = (ensemble.run.path / "result.json").stat().st_mtime, ensemble.lines()
    ends = [trial.datetime_complete for trial in trials if trial.state == TrialState.COMPLETE]
    if num_later := sum(end is not None and end.timestamp() > made_s for end in ends):
        ended = "1 trial" if num_later == 1 else f"{num_later} trials"
        lines.append(f"{ended} ended after this ensemble was made, so it was not selected from all.")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return ensemble.content() | {"num_later_trials": num_later}


def _how_to_apply(best: "FrozenTrial", folder: Path, replicate: str) -> str:
    """The command that classifies new spectra by the best trial; empty if it left no network."""
    runs = [run.path for run in _runs(best, folder)]
    if not runs or not (runs[0] / MODEL).is_file():
        return ""
    found = f"trial {best.number}: {predict_command(runs[0])} data=..."
    return found if len(runs) == 1 else f"{found} (the first {replicate} of {len(runs)})"


def _show_out_of_fold(
    best: "FrozenTrial", trials: "list[FrozenTrial]", folder: Path, console: "Console"
) -> dict[str, Any] | None:
    """Score the folds of each complete trial as one, and print those of the best; None if it has none."""
    complete = [t for t in trials if t.state == TrialState.COMPLETE and REUSED_FROM not in t.user_attrs]
    scores: dict[str, Any] | None = None
    reasons = []
    for trial in complete:
        try:
            found = scores_out_of_fold(_runs(trial, folder))
        except (OSError, user_error_type()) as error:
            reasons.append(f"The folds of trial {trial.number} could not be scored as one: {str(error).rstrip('.')}.")
        else:
            scores = found if trial.number == best.number else scores
    if reasons:
        print(reasons[0], *([f"Nor could those of {len(reasons) - 1} more."] if len(reasons) > 1 else []))
    if scores is None:
        return None
    from spectral.scoring.console import print_scores

    runs = _runs(best, folder)
    print(f"Trial {best.number}, out of fold: each spectrum as the fold said that did not train on it.")
    print_scores(console, scores, runs[0].class_names, ["val"])
    for line in _over_folds(runs):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    kept = {name: value for name, value in scores.items() if name.startswith("val/")}
    return {"number": best.number, "confusion": scores["confusion"], **kept}


def _runs(trial: "FrozenTrial", folder: Path) -> list[Run]:
    return [Run(path) for path in run_dirs(trial.user_attrs, folder)]


def _over_folds(runs: list[Run]) -> list[str]:
    """Macro-F1 of the folds, each by itself: how much it varies."""
    names = ("val/macro_f1", "val/decision/macro_f1")
    found = {name: [float(run.result[name]) for run in runs] for name in names if all(name in r.result for r in runs)}
    return [
        f"{name} over {len(runs)} folds: {statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f} (mean and "
        f"standard deviation)"
        for name, values in found.items()
    ]


def has_result(study: SharedStudy) -> bool:
    """Whether some trial is complete and within the constraints."""
    return bool(ranked(standing(study.trials()), study.study.directions))


def counts(study: SharedStudy) -> str:
    """The number of trials in each state, in words."""
    return _counts(standing(study.trials()))


def _counts(trials: list[FrozenTrial]) -> str:
    nums = Counter(map(state_name, trials))
    words = [f"{nums[name]} {name}" for name in STATES if nums[name]]
    reused = sum(REUSED_FROM in trial.user_attrs for trial in trials)
    outside = sum(not is_feasible(trial) for trial in trials)
    words += [f"{reused} of them reused"] if reused else []
    return ", ".join(words + ([f"{outside} of them outside the constraints"] if outside else [])) or "no trial"


def _left_out(trials: list[FrozenTrial]) -> str:
    """A sentence on the ended trials that the table leaves out; empty if it has all."""
    ended = [trial for trial in trials if trial.state.is_finished()]
    complete = [trial for trial in ended if trial.state == TrialState.COMPLETE]
    words = ["complete trials only"]
    words += ["each configuration once"] if any(REUSED_FROM in trial.user_attrs for trial in complete) else []
    words += ["none outside the constraints"] if not all(map(is_feasible, complete)) else []
    has_fewer = len(words) > 1 or len(complete) < len(ended)
    return f"The table lists {', '.join(words)}." if has_fewer else ""


def _final_lines(finals: list[dict[str, Any]], replicates: str) -> list[str]:
    """Lines with the test scores of the final trials."""
    return [
        f"trial {final['number']} on the test split: {name} {_over_replicates(values, replicates)}"
        for final in finals
        for name, values in final["test"].items()
    ] + [
        f"trial {final['number']} on the test split: no score was found in {final['run_dir']}"
        for final in finals
        if not final["test"]
    ]


def _over_replicates(values: list[float], replicates: str) -> str:
    """As validation has them: the mean and the standard deviation (n - 1)."""
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f} over {len(values)} {replicates}"
