"""Where studies are kept: folders of studies, and the URLs of storages that are a file."""

from pathlib import Path

OUTPUTS = Path("outputs")
SWEEPS = OUTPUTS / "sweeps"
JOURNAL_FILE = "study.journal"
SUMMARY_FILE = "sweep.json"
TRIAL_FILE = "trial.json"  # in each run folder of a sweep
FINAL_KIND = "final"  # the kind, in trial.json, of a run that is scored once more at the end of its sweep


def places_in(folder: Path) -> list[Path]:
    """Where studies and runs have folders of their own: in a folder, in its `sweeps` and in its `runs`."""
    return [folder, folder / "sweeps", folder / "runs"]


def named(name: str) -> list[Path]:
    """Where a name that `python -m sweeps.ls` shows may be: it is a path itself, or one below outputs."""
    return [Path(name), SWEEPS / name, *(place / name for place in places_in(OUTPUTS))]
