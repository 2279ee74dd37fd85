"""How a sweep ends: a table of its best trials, the command of the best one, and sweep.json."""

import statistics
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.console.best_trials_table import BestTrialsTable
from sweeps.results.ranking import is_feasible, ranked
from sweeps.results.sweep_json import NUM_SHOWN, summary_of, write_summary
from sweeps.study.attributes import REUSED_FROM, SEEDS
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing


def summarize(study: SharedStudy, folder: Path) -> None:
    """Print the best trials and write `<folder>/sweep.json`.

    Raises:
        UserError: the file cannot be written.
    """
    from rich.console import Console

    trials = standing(study.trials())
    best = ranked(trials, study.study.directions)
    console = Console()
    if best:
        BestTrialsTable(study, best[:NUM_SHOWN], folder).print(console)
    if len(best) > NUM_SHOWN:
        console.print(f"and {len(best) - NUM_SHOWN} more", highlight=False)
    console.print(_counts(trials), highlight=False, markup=False, soft_wrap=True)
    if best and (left_out := _left_out(trials)):
        console.print(left_out, highlight=False, markup=False, soft_wrap=True)
    summary = summary_of(study, trials, best)
    for line in _final_lines(summary["final"]):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if best:
        by = f" by {study.objectives[0]}" if len(study.objectives) > 1 else ""
        console.print(f"best{by}: {summary['best_command']}", highlight=False, markup=False, soft_wrap=True)
        if seeds := best[0].user_attrs.get(SEEDS):
            line = f"It runs one seed; the trial was scored with {study.config.seed_key}={','.join(map(str, seeds))}."
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"study {study.name}: {folder}", highlight=False, markup=False, soft_wrap=True)
    write_summary(summary, folder)


def has_result(study: SharedStudy) -> bool:
    """Whether some trial is complete and within the constraints."""
    return bool(ranked(standing(study.trials()), study.study.directions))


def counts(study: SharedStudy) -> str:
    """The number of trials in each state, in words."""
    return _counts(standing(study.trials()))


def _counts(trials: list[FrozenTrial]) -> str:
    nums = [(state, sum(trial.state == state for trial in trials)) for state in TrialState]
    words = [f"{num} {state.name.lower()}" for state, num in nums if num]
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


def _final_lines(finals: list[dict[str, Any]]) -> list[str]:
    """Lines with the test scores of the final trials."""
    return [
        f"trial {final['number']} on the test split: {name} {_over_seeds(values)}"
        for final in finals
        for name, values in final["test"].items()
    ] + [
        f"trial {final['number']} on the test split: no score was found in {final['run_dir']}"
        for final in finals
        if not final["test"]
    ]


def _over_seeds(values: list[float]) -> str:
    """A score over seeds, as for validation: the mean and the standard deviation (n - 1)."""
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f} over {len(values)} seeds"
