"""The job's side of a sweep: report progress to the study, and end the job if its configuration is pruned."""

from collections.abc import Callable, Mapping
from typing import Any

from sweeps.job.reporter import reporter_of
from sweeps.job.trial_link import TrialLink


def epoch_callback(last_epoch: int | None = None) -> Callable[[int, dict[str, Any]], None]:
    """A function for a training loop to call after each epoch with its number and metrics; no effect outside a sweep.

    Args:
        last_epoch: that the run is planned to have; see `is_last` of report_progress.

    Raises (when called):
        optuna.TrialPruned: the configuration is not worth continuing.
        sweeps.study.ownership.TakenOver: another controller runs the trial.
    """

    def on_epoch(epoch: int, row: dict[str, Any]) -> None:
        link = TrialLink.of_job()
        if link:
            reporter_of(link).report(epoch, row.get(link.objective), is_last=epoch == last_epoch)

    return on_epoch


def report_progress(step: int, value: float, is_last: bool = False) -> None:
    """Report the first objective at a step, such as an epoch. No effect outside a sweep.

    If the storage is unavailable, the job waits for it for `sweep.report_timeout_s`, then continues and reports the
    step later. A step that was reported before is ignored, so a job that resumes from a checkpoint may report it again.

    Args:
        is_last: nothing is left to run after this step, so that the pruner does not end the job.

    Raises:
        optuna.TrialPruned: the configuration is not worth continuing.
        sweeps.study.ownership.TakenOver: another controller runs the trial.
    """
    link = TrialLink.of_job()
    if link:
        reporter_of(link).report(step, value, is_last)


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
