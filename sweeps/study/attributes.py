"""Names of the attributes that a study and its trials keep. What is stored under a name never changes its meaning."""

# Of a study.
IDENTITY = "sweep"  # what it searches and how it judges, see identity.py
TOTAL = "num_trials"  # how many trials the last command asked for
PROGRAM = "program"  # how its program is called, such as ["python", "run.py"]
REFERENCE = "reference"  # the first configuration of `sweep.enqueue`, as canonical JSON; absent if there is none
FINAL = "final:"  # and a trial's number: "done" once it was run once more at the end, or the controller that runs it
SIGNATURE = "controller:"  # and a controller's id: who it is and its last sign of life, see controllers.py
SLOTS = "slots:"  # and a controller's id: how many jobs that one can run at once

# Of a trial: who has it, and what it is.
OWNER = "owner"  # the id of the controller that runs it, or was the last to
CONFIGURATION = "configuration"  # axis -> value, as canonical JSON
ENQUEUED = "known"  # the configuration it was enqueued with, as canonical JSON; absent from one that was drawn
RETRY_OF = "retry_of"  # the number of the failed trial in whose place it stands (`sweep.retry_failed`)
REUSED_FROM = "reused_from"  # the number of the earlier trial of the same configuration whose result it has

# Of a trial: its runs.
OVERRIDES = "overrides"  # of its jobs, without the seed and without what every job gets
RUN_DIR = "run_dir"  # its folder, which holds its run or one run per seed
JOBS = "jobs"  # every start of a job, one mapping each, see job_records.py
ATTEMPTS = "attempts"  # how often its job was started, of several seeds the most of one

# Of a trial: what came of it.
SEEDS = "seeds"  # that it was run with; absent for a single run
SEED_VALUES = "seed_values"  # seed -> the objectives, of the seeds that have ended
SPREAD = "spread"  # for each objective the standard deviation over seeds
REASON = "reason"  # why it ended as it did, in one sentence; empty if it ended well
TRACEBACK = "traceback"  # of the exception that failed it


def progress_key(seed_index: int) -> str:
    """The attribute of a trial that holds the last [step, value] of a job whose steps the study does not take."""
    return f"progress {seed_index}"
