"""The lease of a job: it runs only while its controller owns the trial, and one job at a time runs in a folder.

A controller that is killed may leave jobs behind, especially on a cluster. The controller that takes over its trials
ends the jobs that it can. The other jobs find out here, at their start and after each epoch, that their trial has
another controller, and end.
"""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from hydra.types import TaskFunction

from sweeps.job.trial_link import TrialLink
from sweeps.study.attributes import OWNER
from sweeps.study.ownership import TakenOver

log = logging.getLogger(__name__)

LOCK = "trial.lock"
LOOK_S = 2.0
# Longest wait for a job that was left behind: it ends when the cluster cancels it, or after its epoch.
PATIENCE_S = 3600.0


@dataclass(frozen=True)
class LeasedTask:
    """The task function as the jobs of a sweep run it, on any launcher.

    Args:
        controller, group: the process of the controller, and its process group.
    """

    function: TaskFunction
    controller: int = field(default_factory=os.getpid)
    group: int = field(default_factory=os.getpgrp)

    def __call__(self, config: Any) -> Any:
        """Run the task function. Raises TakenOver if another controller has the trial."""
        self._leave_ctrl_c_to_controller()
        from sweeps.job.reporter import close_reporter

        with _alone_in(Path(HydraConfig.get().runtime.output_dir), TrialLink.of_job()):
            try:
                return self.function(config)
            finally:
                close_reporter()

    def _leave_ctrl_c_to_controller(self) -> None:
        """Ignore Ctrl-C in another process that it reaches: those of our launchers have groups of their own."""
        is_reached = os.getpgrp() == self.group and os.getpid() != self.controller
        if is_reached and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def check_lease(link: TrialLink) -> None:
    """Raise TakenOver if the trial is no longer this job's. If the storage cannot be read, log that and continue."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna's warnings on experimental features
            trial = link.open_storage().get_trial(link.trial_id)
    except Exception as error:
        log.warning("Study %s could not be read to check trial %d: %s", link.study, link.number, error)
        return
    if trial.state.name != "RUNNING" or trial.user_attrs.get(OWNER) != link.owner:
        raise TakenOver(f"trial {link.number} of study {link.study} is no longer this job's")


@contextmanager
def _alone_in(folder: Path, link: TrialLink | None) -> Iterator[None]:
    """Wait until no earlier job of the trial runs in the folder, then lock it. The kernel unlocks it on a crash.

    Args:
        link: None of a final run, whose trial has ended and has no lease.
    """
    lock = FileLock(folder / LOCK)
    for look in range(int(PATIENCE_S / LOOK_S)):
        if link is not None:
            check_lease(link)
        try:
            lock.acquire(timeout=LOOK_S)
            break
        except Timeout:
            if look == 0:
                log.warning("An earlier job of this trial still runs in %s: waiting until it ends.", folder)
    else:
        raise TimeoutError(f"an earlier job of this trial still runs in {folder} after {PATIENCE_S:g} s")
    try:
        yield
    finally:
        lock.release()
