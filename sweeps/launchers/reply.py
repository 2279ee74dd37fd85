"""What a worker sends back for a job, and how an exception crosses from one process to another."""

import pickle
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import cloudpickle
from hydra.core.utils import JobReturn, JobStatus

OUT_OF_MEMORY = "OutOfMemoryError"  # torch's exception, told by its name so that torch need not be imported


class RemoteTraceback(Exception):  # noqa: N818  (never raised)
    """The cause of an exception that came from another process; it prints that process's traceback."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


@dataclass
class Reply:
    """A JobReturn, or the error that kept the job from beginning; with the traceback, which pickling loses."""

    job_return: JobReturn | None = None
    error: BaseException | None = None
    trace: str | None = None
    device_memory_ran_out: bool = False
    # The worker may still hold what filled its memory: end it.
    worn: bool = False

    @classmethod
    def of_return(cls, job_return: JobReturn) -> "Reply":
        failed = job_return.status == JobStatus.FAILED
        error = job_return._return_value if failed else None
        names = {type(link).__name__ for link in _chain(error)}
        ran_out = OUT_OF_MEMORY in names
        trace = _format(error) if error is not None else None
        return cls(job_return, None, trace, ran_out, worn=ran_out or "MemoryError" in names)

    @classmethod
    def of_error(cls, error: BaseException) -> "Reply":
        return cls(error=error, trace=_format(error))

    def pack(self) -> bytes:
        """For the controller. What does not survive pickling is replaced by a RuntimeError that tells of it."""
        if self.error is not None:
            self.error = _sendable_error(self.error)
        if self.job_return is not None:
            _make_sendable(self.job_return)
        packed: bytes = cloudpickle.dumps(self)
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> "Reply":
        reply: Reply = pickle.loads(packed)
        error = reply.error or (reply.job_return._return_value if reply.trace and reply.job_return else None)
        if isinstance(error, BaseException) and reply.trace:
            error.__cause__ = RemoteTraceback(reply.trace)
        return reply


def _make_sendable(job_return: JobReturn) -> None:
    if job_return.status == JobStatus.FAILED:
        job_return.return_value = _sendable_error(job_return._return_value)
        return
    try:
        pickle.loads(cloudpickle.dumps(job_return._return_value))
    except Exception as error:
        name = type(job_return._return_value).__name__
        job_return.status = JobStatus.FAILED
        job_return.return_value = RuntimeError(f"The job's result, of type {name}, cannot be pickled: {error}")


def _sendable_error(error: BaseException) -> BaseException:
    try:
        # Many an exception pickles but does not unpickle: its __init__ wants more than its args.
        pickle.loads(cloudpickle.dumps(error))
    except Exception:
        return RuntimeError(_format(error))
    return error


def _format(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
