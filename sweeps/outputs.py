"""Where studies and runs lie below `outputs`, and the names of their files."""

from pathlib import Path

OUTPUTS = Path("outputs")
SWEEPS = OUTPUTS / "sweeps"
JOURNAL_FILE = "study.journal"
SUMMARY_FILE = "sweep.json"
TRIAL_FILE = "trial.json"  # in each run folder of a sweep
SNAPSHOTS = "snapshots"  # in a run folder: folders epoch-NNNN, each used as a run
FINAL_KIND = "final"  # in trial.json: the kind of a run that is scored again at the end of its sweep


def places_in(folder: Path) -> list[Path]:
    """The folders that may hold folders of studies and runs: a folder itself, its `sweeps` and its `runs`."""
    return [folder, folder / "sweeps", folder / "runs"]


def named(name: str) -> list[Path]:
    """The paths that a name shown by `python -m sweeps.ls` may mean: the name as a path, or a path below outputs."""
    return [Path(name), SWEEPS / name, *(place / name for place in places_in(OUTPUTS))]
