"""Names of the attributes of a study and its trials. The meaning of a stored name never changes."""

# Of a study.
IDENTITY = "sweep"  # what it searches and how it compares trials, see identity.py
CONFIG = "config"  # that all its jobs have, without the axes, see sweeps/planning/jobs_config.py
TOTAL = "num_trials"  # how many trials the last command asked for
MOST = "most_trials"  # how many trials any command asked for; absent before 0.2
REPORTED = "reported"  # whether ensemble, report and sweep.json are whole since trials ended; absent before 0.2
PROGRAM = "program"  # the command that starts its program, such as ["python", "run.py"]
REFERENCE = "reference"  # the first configuration of `sweep.enqueue`, as canonical JSON; absent if there is none
ACCEPTED_DATA = "accepted_data:"  # followed by a fingerprint that `sweep.accept_changed_data` let in
FINAL = "final:"  # followed by a trial's number: "done" after its final run, before that the controller that runs it
SIGNATURE = "controller:"  # followed by a controller's id: its process and last heartbeat, see controllers.py
SLOTS = "slots:"  # followed by a controller's id: how many jobs it can run at once

# Of a trial: its owner and its configuration.
OWNER = "owner"  # the id of the controller that runs it, or ran it last
CONFIGURATION = "configuration"  # axis -> value, as canonical JSON
ENQUEUED = "known"  # the configuration it was enqueued with, as canonical JSON; absent from one that was drawn
RETRY_OF = "retry_of"  # the number of the failed trial that it replaces (`sweep.retry_failed`)
REUSED_FROM = "reused_from"  # the number of the earlier trial with the same configuration whose result it has

PAUSED = "paused"  # true while it is paused by its pruner (`sweep.promote`); it is RUNNING in the study, without owner

# Of a trial: its runs.
OVERRIDES = "overrides"  # of its jobs, without the seed and without what every job gets
RUN_DIR = "run_dir"  # its folder, which holds its run or one run per seed
JOBS = "jobs"  # every start of a job, one mapping each, see job_records.py
ATTEMPTS = "attempts"  # how often its job was started; with several seeds, the largest such number

# Of a trial: its results.
SEEDS = "seeds"  # that it was run with; absent for a single run
SEED_VALUES = "seed_values"  # seed -> the objectives, of the seeds that have ended
FINGERPRINT = "fingerprint"  # of the data that it was run on; absent if its runs name none
SPREAD = "spread"  # for each objective the standard deviation over seeds
REASON = "reason"  # why it ended as it did, in one sentence; empty if it ended well
TRACEBACK = "traceback"  # of the exception that failed it

# Optuna's own, of a trial.
RUNG = "completed_rung_"  # followed by a number: the value at a rung, noted by the pruners that have rungs


def progress_key(seed_index: int) -> str:
    """The attribute of a trial for the last [step, value] of a job whose steps are not steps of the trial."""
    return f"progress {seed_index}"
