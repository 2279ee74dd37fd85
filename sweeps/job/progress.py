"""The job's side of a sweep: report progress to the study, and end the job if its configuration is pruned."""

import logging
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sweeps.job.lease import check_lease
from sweeps.job.trial_link import TrialLink
from sweeps.study.attributes import progress_key

if TYPE_CHECKING:
    from optuna import Trial

log = logging.getLogger(__name__)


def epoch_callback() -> Callable[[int, dict[str, Any]], None]:
    """A function for a training loop to call after each epoch with its number and metrics; no effect outside a sweep.

    Raises (when called):
        optuna.TrialPruned: the configuration is not worth continuing.
        sweeps.study.ownership.TakenOver: another controller runs the trial.
    """

    def on_epoch(epoch: int, row: dict[str, Any]) -> None:
        link = TrialLink.of_job()
        if link:
            _report_step(link, epoch, row.get(link.objective))

    return on_epoch


def report_progress(step: int, value: float) -> None:
    """Report the first objective at a step, such as an epoch. No effect outside a sweep.

    If the storage is unavailable, the job waits for it, and does not fail. A step that was reported before is ignored,
    so a job that resumes from a checkpoint may report it again.

    Raises:
        optuna.TrialPruned: the configuration is not worth continuing.
        sweeps.study.ownership.TakenOver: another controller runs the trial.
    """
    link = TrialLink.of_job()
    if link:
        _report_step(link, step, value)


def _report_step(link: TrialLink, step: int, value: float | None) -> None:
    """Report a value, if there is one; then check whether the job should continue."""
    stop = False
    try:
        stop = value is not None and _should_prune(link, step, value)
    except Exception as error:
        log.warning("Step %d could not be reported to study %s: %s", step, link.study, error)
    # After the report: the job that resumes from this epoch's checkpoint will not repeat it.
    check_lease(link)
    if stop:
        from optuna import TrialPruned

        raise TrialPruned(f"at step {step} by {link.pruner}")


def check_constraints(numbers: Mapping[str, float | str | None]) -> None:
    """Check numbers that are known before training against the sweep's constraints. No effect outside a sweep.

    Args:
        numbers: by name, as in result.json; None for a number without bound, text for one that is not known.

    Raises:
        OutsideConstraints: a number is outside. The trial then ends, and the sampler learns from it.
        ValueError: a constrained number is not known. The trial then fails.
    """
    link = TrialLink.of_job()
    if link is not None and link.constraints:
        from sweeps.space import read_constraints
        from sweeps.space.constraints import check_known

        check_known(read_constraints(link.constraints), numbers)


def _should_prune(link: TrialLink, step: int, value: float) -> bool:
    """Report a value to the study; returns whether the pruner ends the job."""
    trial = _trial(link)
    if not link.takes_steps:
        trial.set_user_attr(progress_key(link.seed_index), [step, float(value)])
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a step reported again, and experimental pruners
        trial.report(value, step)
        return link.pruner != "none" and trial.should_prune()


@lru_cache(maxsize=1)
def _trial(link: TrialLink) -> "Trial":
    from optuna import Trial, load_study, logging
    from optuna.samplers import RandomSampler

    from sweeps.storage.connect import open_storage
    from sweeps.study.pruner import build_pruner

    logging.set_verbosity(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pruner = build_pruner(link.pruner, link.pruning)
        storage = open_storage(link.storage, link.timeout_s)
        # The trial already has its parameters, so the cheapest sampler will do.
        study = load_study(study_name=link.study, storage=storage, pruner=pruner, sampler=RandomSampler())
        return Trial(study, link.trial_id)
