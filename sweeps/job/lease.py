"""A job runs while its trial is its controller's, and one job at a time in a folder.

A controller that is killed may leave jobs behind, on a cluster above all. Who takes its trials over ends what can be
ended; what cannot is told here, at its start and after each epoch, that its trial has another controller.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
# For a job that was left behind: it ends when the cluster has cancelled it, or after its epoch.
PATIENCE_S = 3600.0


@dataclass(frozen=True)
class LeasedTask:
    """The task function as the jobs of a sweep run it, on any launcher."""

    function: TaskFunction

    def __call__(self, config: Any) -> Any:
        """As the task function; besides it raises TakenOver."""
        link = TrialLink.of_job()
        if link is None:
            return self.function(config)
        with _alone_in(Path(HydraConfig.get().runtime.output_dir), link):
            return self.function(config)


def check_lease(link: TrialLink) -> None:
    """Raise TakenOver where the job is not wanted any more. A storage that is gone says nothing of that."""
    from sweeps.storage.connect import open_storage

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is experimental in Optuna
            trial = open_storage(link.storage, link.timeout_s).get_trial(link.trial_id)
    except Exception as error:
        log.warning("Study %s could not be asked about trial %d: %s", link.study, link.number, error)
        return
    if trial.state.name != "RUNNING" or trial.user_attrs.get(OWNER) != link.owner:
        raise TakenOver(f"trial {link.number} of study {link.study} is not this job's any more")


@contextmanager
def _alone_in(folder: Path, link: TrialLink) -> Iterator[None]:
    """Wait until an earlier job of the trial has left the folder; the kernel frees it when a process dies."""
    lock = FileLock(folder / LOCK)
    for look in range(int(PATIENCE_S / LOOK_S)):
        check_lease(link)
        try:
            lock.acquire(timeout=LOOK_S)
            break
        except Timeout:
            if look == 0:
                log.warning("An earlier job of this trial still runs in %s: waiting for its end.", folder)
    else:
        raise TimeoutError(f"an earlier job of this trial has not left {folder} within {PATIENCE_S:g} s")
    try:
        yield
    finally:
        lock.release()
