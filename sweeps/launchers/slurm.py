"""Run each job as a SLURM job, through submitit. It is requeued and resumes if its time is up or its node is taken."""

import logging
import math
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle

from sweeps.errors import user_error
from sweeps.launchers import remote_job
from sweeps.launchers.config import SlurmConfig
from sweeps.launchers.contract import JobTimeout, StartFailed, WorkerLost
from sweeps.launchers.pool import Limits, SlotPool
from sweeps.launchers.pooled_launcher import PooledLauncher
from sweeps.launchers.remote_job import RemoteJob
from sweeps.launchers.reply import Reply
from sweeps.launchers.scancel import Scancel
from sweeps.launchers.slots import Device, Slot
from sweeps.options import checked

log = logging.getLogger(__name__)

# Time for files that a job has written to become visible here, over a network file system.
RESULT_PATIENCE_S = 10.0
TIMED_OUT = 124  # exit code of timeout (coreutils)
MOST_SUBMITTED = 64  # jobs at once, by default


class SlurmLauncher(PooledLauncher):
    """Runs jobs on SLURM; its options are those of SlurmConfig."""

    def __init__(self, **options: Any) -> None:
        self._options = chosen = checked(SlurmConfig, options)
        _check_time(chosen)
        _load_submitit()
        _find_slurm(chosen.executor)
        self._scancel = Scancel(chosen.command_timeout_s)
        self._limits = Limits(chosen.time_limit_s, chosen.grace_s, retry_alone=False)

    @property
    def num_slots(self) -> int:
        # Without a cluster nothing divides the cores and devices of this machine among jobs.
        by_default = MOST_SUBMITTED if self._options.executor == "slurm" else 1
        return self._options.max_parallel or by_default

    def _job_name(self, controller: str) -> str:
        """The SLURM name of a controller's jobs. It finds all of them, also any that the controller did not record."""
        return f"{self._options.name}-{controller}" if controller else self._options.name

    def end_jobs_of(self, controller: str) -> None:
        """See StreamingLauncher."""
        if self._options.executor == "slurm":
            self._scancel(f"--name={self._job_name(controller)}")

    def make_pool(self) -> SlotPool:
        submitit, options = _load_submitit(), self._options
        cluster = options.executor
        timeouts = {f"{cluster}_max_num_timeout": options.max_num_timeout}
        executor = submitit.AutoExecutor(folder=options.folder, cluster=cluster, **timeouts)
        executor.update_parameters(name=self._job_name(self.controller), **_parameters(options))
        cancel: Callable[[Any], None] = _cancel_here
        if cluster == "slurm":
            from sweeps.launchers.squeue import QueueWatcher

            submitit.SlurmJob.watcher = QueueWatcher(options.look_s, options.command_timeout_s)
            _limit_sbatch(executor, options.command_timeout_s)
            cancel = partial(_cancel_on_slurm, self._scancel)
        cloudpickle.register_pickle_by_value(remote_job)
        submit = partial(_submit, executor, threading.Lock())
        slots = [Slot(f"{cluster}/{i}", Device(f"{cluster}/{i}"), num_threads=1) for i in range(self.num_slots)]
        start = partial(_start, submit, cancel, self.task.pack(), options.show_output, options.poll_s)
        return SlotPool(slots, start, self._limits)


class SlurmWorker:
    """Submits one job after another and waits for each."""

    place: str | None = None
    alive = has_room = True

    def __init__(
        self,
        submit: Callable[[RemoteJob], Any],
        cancel: Callable[[Any], None],
        packed_task: bytes,
        show_output: bool,
        poll_s: float,
    ) -> None:
        self._submit, self._cancel_job, self._packed_task = submit, cancel, packed_task
        self._show_output, self._poll_s = show_output, poll_s
        self._stopped: str | None = None
        self._job: Any = None
        self._is_silent = False  # the system did not say at the last poll whether the job has ended

    def run(
        self, overrides: Sequence[str], job_num: int, time_limit_s: float | None = None, grace_s: float = 5
    ) -> Reply:
        """See worker_protocol.Worker."""
        if self._stopped:
            raise WorkerLost(self._stopped)
        self._job, self.place = None, None
        job = self._job = self._submitted(RemoteJob(self._packed_task, overrides, job_num, self._show_output))
        self.place = f"job {job.job_id}"
        limit_s = math.inf if time_limit_s is None else time_limit_s
        ran_s, looked = 0.0, time.monotonic()
        while not self._has_ended():
            now = time.monotonic()
            if time_limit_s is not None and _is_running(job):
                ran_s += now - looked  # over all starts: a requeued job waits in between
            looked = now
            if self._stopped or ran_s > limit_s:
                self._cancel(grace_s)
                break
            time.sleep(self._poll_s)
        return self._outcome(time_limit_s if ran_s > limit_s else None)

    @property
    def has_begun(self) -> bool:
        """See worker_protocol.Worker: true once SLURM has the job, even if only in its queue."""
        return self.place is not None

    def _submitted(self, job: RemoteJob) -> Any:
        """Submit a job to SLURM. Raises StartFailed if SLURM accepts no job now, or the script cannot be written."""
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        try:
            return self._submit(job)
        except (OSError, subprocess.SubprocessError, FailedJobError, FailedSubmissionError) as error:
            said = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
            if getattr(error.__cause__, "returncode", None) == TIMED_OUT:
                said = ["sbatch did not answer within hydra.launcher.command_timeout_s"]
            raise StartFailed(f"the job could not be submitted: {said[-1]}") from error

    def _has_ended(self) -> bool:
        """Whether the job has ended; False if the system does not say now, and is asked again at the next poll."""
        try:
            ended: bool = self._job.done()
        except OSError as error:
            if not self._is_silent:  # one warning, not one at each poll
                log.warning("Whether %s has ended cannot be found out, so it is asked again: %s", self.place, error)
            self._is_silent = True
            return False
        self._is_silent = False
        return ended

    def _outcome(self, exceeded_s: float | None) -> Reply:
        if self._stopped:
            raise WorkerLost(self._stopped)
        try:
            if exceeded_s is not None and not self._job.paths.result_pickle.exists():
                raise JobTimeout(f"time limit of {exceeded_s:g} s reached")
            return self._result()
        except OSError as error:  # the job runs again, and takes what it has saved
            raise WorkerLost(f"the result of {self.place} cannot be read: {error}") from error

    def _result(self) -> Reply:
        """The reply of a job that has ended. Raises WorkerLost if it left none, OSError if it cannot be read now."""
        if not _appears(self._job.paths.result_pickle):
            state = self._job.state
            reason = f"{self.place} ended without a result (state {state}), see {self._job.paths.stderr}"
            raise JobTimeout(reason) if state == "TIMEOUT" else WorkerLost(reason)
        error = self._job.exception()
        if error is not None:
            # Not an exception of the task function, which would be in the Reply: the job was not requeued.
            raise WorkerLost(f"{self.place}: {str(error).strip()}")
        return Reply.unpack(self._job.result())

    def _cancel(self, grace_s: float) -> None:
        self._cancel_job(self._job)
        deadline = time.monotonic() + grace_s
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(min(self._poll_s, 0.2))

    def interrupt(self, reason: str) -> None:
        """See worker_protocol.Worker; takes effect at the next poll."""
        self._stopped = reason

    def kill(self) -> None:
        """See worker_protocol.Worker."""
        if self._job is not None:
            self._cancel_job(self._job)

    def end(self, grace_s: float) -> None:
        """See worker_protocol.Worker: there is nothing to end between jobs."""


def _load_submitit() -> Any:
    """Import submitit, which only a controller that uses this launcher needs."""
    try:
        import submitit
    except ImportError as error:
        extra = "python -m pip install -e '.[slurm]'"
        raise user_error(f"hydra/launcher=slurm needs submitit ({error}): {extra}.") from error
    return submitit


def _find_slurm(executor: str) -> None:
    if executor == "slurm" and shutil.which("srun") is None:
        raise user_error(
            "hydra/launcher=slurm finds no srun on PATH: run it on a cluster, or try it with "
            "hydra.launcher.executor=local."
        )


def _check_time(options: SlurmConfig) -> None:
    time_s = 60 * options.timeout_min
    if options.signal_delay_s >= time_s:
        raise user_error(
            f"hydra.launcher.signal_delay_s={options.signal_delay_s} is out of range: "
            f"allowed is below the {time_s} s of hydra.launcher.timeout_min={options.timeout_min}."
        )


def _parameters(options: SlurmConfig) -> dict[str, Any]:
    """The parameters of submitit for each job."""
    names = ("timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb")
    parameters = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.executor == "slurm":
        chosen = {"partition": options.partition} if options.partition is not None else {}
        parameters["slurm_additional_parameters"] = chosen | options.additional
        parameters["slurm_signal_delay_s"] = options.signal_delay_s
    return parameters


def _start(
    submit: Callable[[RemoteJob], Any],
    cancel: Callable[[Any], None],
    packed_task: bytes,
    show_output: bool,
    poll_s: float,
    slot: Slot,
    alone: bool,
) -> SlurmWorker:
    return SlurmWorker(submit, cancel, packed_task, show_output, poll_s)


def _cancel_on_slurm(scancel: Scancel, job: Any) -> None:
    scancel(str(job.job_id))


def _cancel_here(job: Any) -> None:
    job.cancel(check=False)


def _limit_sbatch(executor: Any, timeout_s: float) -> None:
    """Let an executor of submitit give up an sbatch that does not answer: submitit has no limit for it."""
    slurm = executor._executor
    command = slurm._make_submission_command
    slurm._make_submission_command = lambda path: ["timeout", f"{timeout_s:g}", *command(path)]


def _submit(executor: Any, lock: threading.Lock, job: RemoteJob) -> Any:
    with lock:
        return executor.submit(job)


def _is_running(job: Any) -> bool:
    # The mode "standard" asks the cluster only at intervals, for all jobs together.
    return "RUNNING" in job.get_info(mode="standard").values()


def _appears(path: Path) -> bool:
    deadline = time.monotonic() + RESULT_PATIENCE_S
    while not path.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
        # Makes a network file system read the folder again.
        list(path.parent.iterdir())
    return True
