"""How a sweep ends: a table of its best trials, the command of the best one, and sweep.json."""

import statistics
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sweeps.console.best_trials_table import Comparison
from sweeps.errors import user_error
from sweeps.files import load_json, write_json
from sweeps.invocation import command, program
from sweeps.outputs import SUMMARY_FILE
from sweeps.results.ranking import is_feasible, ranked
from sweeps.results.trial_row import configuration
from sweeps.study.shared_study import SharedStudy
from sweeps.study.trial_counts import standing

NUM_SHOWN = 20


def summarize(study: SharedStudy, folder: Path) -> None:
    """Print the comparison and write `<folder>/sweep.json`.

    Raises:
        UserError: the file cannot be written.
    """
    from rich.console import Console

    trials = standing(study.trials())
    best = ranked(trials, study.study.directions)
    console = Console()
    if best:
        Comparison(study, best[:NUM_SHOWN], folder).print(console)
    if len(best) > NUM_SHOWN:
        console.print(f"and {len(best) - NUM_SHOWN} more", highlight=False)
    console.print(_counts(trials), highlight=False, markup=False, soft_wrap=True)
    if best and (left_out := _left_out(trials)):
        console.print(left_out, highlight=False, markup=False, soft_wrap=True)
    summary = _summary(study, trials, best)
    for line in _final_lines(summary["final"]):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if best:
        by = f" by {study.objectives[0]}" if len(study.objectives) > 1 else ""
        console.print(f"best{by}: {summary['best_command']}", highlight=False, markup=False, soft_wrap=True)
        if seeds := best[0].user_attrs.get("seeds"):
            told = f"It runs one seed; the trial was judged by {study.config.seed_key}={','.join(map(str, seeds))}."
            console.print(told, highlight=False, markup=False, soft_wrap=True)
    console.print(f"study {study.name}: {folder}", highlight=False, markup=False, soft_wrap=True)
    _write(summary, folder)


def note_storage(study: SharedStudy, folder: Path) -> None:
    """Write a first sweep.json: where the study is kept, for all who know its folder alone.

    Raises:
        UserError: the file cannot be written.
    """
    if not (folder / SUMMARY_FILE).is_file():
        trials = standing(study.trials())
        _write(_summary(study, trials, ranked(trials, study.study.directions)), folder)


def best_command(study: SharedStudy, trial: FrozenTrial) -> str:
    """The command that runs a trial's configuration by itself."""
    return command(program(), trial.user_attrs["overrides"])


def has_result(study: SharedStudy) -> bool:
    """Whether some trial has ended well: complete, and within the constraints."""
    return bool(ranked(standing(study.trials()), study.study.directions))


def counts(study: SharedStudy) -> str:
    """How many of a study's trials have ended in which way."""
    return _counts(standing(study.trials()))


def _write(summary: dict[str, Any], folder: Path) -> None:
    path = folder / SUMMARY_FILE
    try:
        write_json(path, summary)
    except OSError as error:
        told = f"{path} could not be written ({error.strerror})"
        raise user_error(f"{told}: make room and give the same command again.") from error


def _counts(trials: list[FrozenTrial]) -> str:
    nums = [(state, sum(trial.state == state for trial in trials)) for state in TrialState]
    words = [f"{num} {state.name.lower()}" for state, num in nums if num]
    reused = sum("reused_from" in trial.user_attrs for trial in trials)
    outside = sum(not is_feasible(trial) for trial in trials)
    words += [f"{reused} of them reused"] if reused else []
    return ", ".join(words + ([f"{outside} of them outside the constraints"] if outside else [])) or "no trial"


def _left_out(trials: list[FrozenTrial]) -> str:
    """Which of the trials that have ended are not in the table; empty where all are."""
    ended = [trial for trial in trials if trial.state.is_finished()]
    complete = [trial for trial in ended if trial.state == TrialState.COMPLETE]
    words = ["complete trials only"]
    words += ["each configuration once"] if any("reused_from" in trial.user_attrs for trial in complete) else []
    words += ["none outside the constraints"] if not all(map(is_feasible, complete)) else []
    is_told = len(words) > 1 or len(complete) < len(ended)
    return f"The table lists {', '.join(words)}." if is_told else ""


def _summary(study: SharedStudy, trials: list[FrozenTrial], best: list[FrozenTrial]) -> dict[str, Any]:
    return {
        "study": study.name,
        "storage": study.url,
        "objectives": study.objectives,
        "directions": study.directions,
        "num_trials": study.num_trials,
        "counts": {state.name.lower(): sum(trial.state == state for trial in trials) for state in TrialState},
        "best_command": best_command(study, best[0]) if best else None,
        "final": [_final(study, trial) for trial in trials if study.has_final(trial.number)],
        "best": [
            {
                "number": trial.number,
                "values": trial.values,
                "spread": trial.user_attrs.get("spread"),
                "configuration": configuration(trial),
                "overrides": trial.user_attrs["overrides"],
                "run_dir": trial.user_attrs["run_dir"],
            }
            for trial in best[:NUM_SHOWN]
        ],
    }


def _final(study: SharedStudy, trial: FrozenTrial) -> dict[str, Any]:
    """A trial that was run to its end: what the objectives are on the test split, by seed."""
    folder = Path(trial.user_attrs["run_dir"])
    results = [_result(path) for path in sorted(folder.glob("seed-*/result.json")) or [folder / "result.json"]]
    names = [name.replace("val/", "test/", 1) for name in study.objectives]
    return {
        "number": trial.number,
        "run_dir": str(folder),
        "test": {name: [result[name] for result in results] for name in names if all(name in r for r in results)},
    }


def _result(path: Path) -> dict[str, Any]:
    """Of a run; empty where it is gone, or spoilt, which is told."""
    try:
        return load_json(path)
    except (OSError, ValueError):
        print(f"{path} cannot be read, so that its test score is left out.")
        return {}


def _final_lines(finals: list[dict[str, Any]]) -> list[str]:
    """What the terminal shows of the final trials."""
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
    """As validation has them: the mean and the standard deviation (n - 1)."""
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f} over {len(values)} seeds"
