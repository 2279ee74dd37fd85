"""Names of the attributes that a study and its trials keep."""

IDENTITY = "sweep"  # the attribute of a study that tells what it searches
TOTAL = "num_trials"  # the one that tells how many trials the last command asked for
KNOWN = "known"  # the attribute of a trial that holds the known configuration it was begun with
REFERENCE = "reference"  # the attribute of a study that holds the first configuration of `sweep.enqueue`, if any
FINAL = "final:"  # and a trial's number: whether it was run once more at the end, or by whom it is
PROGRAM = "program"  # the one that tells how its program is called, such as ["python", "run.py"]


def progress_key(seed_index: int) -> str:
    """The attribute of a trial that holds the last [step, value] of a job whose steps the study does not take."""
    return f"progress {seed_index}"
