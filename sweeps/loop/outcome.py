"""The outcome of one job: the values of its objectives, or why there are none."""

import math
import traceback
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from optuna import TrialPruned

from sweeps.errors import user_error_type
from sweeps.launchers.contract import JobTimeout, StartFailed, WorkerLost
from sweeps.launchers.reply import ForeignError, NotPlainError
from sweeps.space.constraints import OutsideConstraints
from sweeps.study.job_records import DONE, FAILED, LOST, OUTSIDE, PRUNED

NOT_STARTED = "not started"  # not stored in the study; the kinds that are stored are in job_records.py


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Args:
        kind: lost (the worker died; the job may be run again), not started (the job has not begun), pruned, outside
            (the constraints), failed, or done.
        reason: one sentence; empty for done.
        trace: traceback of an exception in the job.
        violations: how far each number is outside its constraint, by name.
    """

    kind: str
    values: tuple[float, ...] = ()
    reason: str = ""
    trace: str | None = None
    violations: dict[str, float] = field(default_factory=dict)


def outcome_of(future: "Future[JobReturn]", num_objectives: int) -> Outcome:
    """The outcome of a job whose future is done."""
    error = future.exception()
    if isinstance(error, WorkerLost) and not isinstance(error, JobTimeout):
        return Outcome(NOT_STARTED if isinstance(error, StartFailed) else LOST, reason=error.reason)
    if error is not None:
        return _failed(error)
    result = future.result()
    if result.status != JobStatus.COMPLETED:
        raised = result._return_value
        if isinstance(raised, WorkerLost):  # raised by a launcher of whole batches
            return Outcome(LOST, reason=raised.reason)
        if isinstance(raised, OutsideConstraints):
            return Outcome(OUTSIDE, reason=raised.reason, violations=raised.violations)
        return Outcome(PRUNED, reason=f"pruned {raised}") if isinstance(raised, TrialPruned) else _failed(raised)
    return _judged(result.return_value, num_objectives)


def _judged(returned: Any, num_objectives: int) -> Outcome:
    """The outcome for the value that the task function returned."""
    listed = list(returned) if isinstance(returned, list | tuple) else [returned]
    if len(listed) != num_objectives:
        return Outcome(FAILED, reason=f"the task returned {returned!r}, but must return {num_objectives} numbers")
    try:
        values = tuple(float(value) for value in listed)
    except (TypeError, ValueError):
        return Outcome(FAILED, reason=f"the task returned {returned!r}, but must return a number")
    # NaN and infinity have no mean or spread over seeds, and samplers cannot learn from them.
    if not all(math.isfinite(value) for value in values):
        word = "NaN" if any(math.isnan(value) for value in values) else "infinite"
        return Outcome(FAILED, reason=f"the objective is {word}")
    return Outcome(DONE, values)


def _failed(error: Any) -> Outcome:
    if not isinstance(error, BaseException):
        return Outcome(FAILED, reason=f"the job failed: {error!r}")
    trace = "".join(traceback.format_exception(error))
    said = str(error).strip() or ("the memory of the job ran out" if isinstance(error, MemoryError) else "no message")
    first = said.splitlines()[0]
    # The message of a UserError is a whole sentence.
    is_said = isinstance(error, ForeignError | NotPlainError | user_error_type())
    return Outcome(FAILED, reason=first if is_said else f"{type(error).__name__}: {first}", trace=trace)
