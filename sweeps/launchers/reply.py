"""The reply of a worker for a job, and how an exception is sent from one process to another."""

import io
import operator
import pickle
import re
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cloudpickle
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

KINDS: tuple[type[Any], ...] = (bool, int, float, str, bytes)
# PyTorch's exception is recognized by its name, so that torch is not imported; errors of CUDA by their messages.
OUT_OF_MEMORY = "OutOfMemoryError"
OUT_OF_MEMORY_SAID = re.compile(r"CUDA (error: )?out of memory|\bCU[A-Z]+_(STATUS_)?ALLOC_FAILED\b")


class RemoteTraceback(Exception):  # noqa: N818  (never raised)
    """The cause of an exception from another process; prints the traceback of that process."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


class ForeignError(RuntimeError):
    """Replaces an exception of a job that cannot be unpickled here, or whose class is not imported; has its name."""


@dataclass(frozen=True)
class PackedError:
    """An exception to send: its pickle, empty if it cannot be pickled, and a description to use without it."""

    pickled: bytes
    said: str

    @classmethod
    def of(cls, error: BaseException) -> "PackedError":
        try:
            pickled = cloudpickle.dumps(error)
        except Exception:  # an exception class of a job may fail in any way; its message is kept
            pickled = b""
        return cls(pickled, ": ".join(filter(None, (type(error).__name__, str(error)))))

    def open(self, trace: str | None) -> BaseException:
        """The exception, or a ForeignError, with the traceback of the other process as its cause."""
        error: BaseException
        try:
            # Many exceptions can be pickled but not unpickled: their __init__ needs more than `args`.
            error = _Unpickler(io.BytesIO(self.pickled)).load()
        except Exception:  # __init__ of an exception class may fail in any way
            error = ForeignError(self.said)
        if trace is not None:
            error.__cause__ = RemoteTraceback(trace)
        return error


class _Unpickler(pickle.Unpickler):
    """An unpickler that only loads classes of the standard library and of modules that are already imported."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in sys.modules and module.partition(".")[0] not in sys.stdlib_module_names:
            raise pickle.UnpicklingError(f"{module} is not imported")
        return super().find_class(module, name)


@dataclass
class Reply:
    """A JobReturn, or the error that kept the job from starting; with the traceback, which pickling would lose."""

    job_return: JobReturn | None = None
    error: BaseException | None = None
    trace: str | None = None
    device_memory_ran_out: bool = False
    # The worker may still hold the data that filled its memory: end it.
    worn: bool = False
    # How long the job ran, over all its starts; None if its worker does not measure that.
    ran_s: float | None = None

    @classmethod
    def of_return(cls, job_return: JobReturn) -> "Reply":
        error = job_return._return_value if job_return.status == JobStatus.FAILED else None
        chain = list(_chain(error))
        ran_out = any(map(_is_out_of_device_memory, chain))
        trace = _format(error) if error is not None else None
        worn = ran_out or any(isinstance(link, MemoryError) for link in chain)
        return cls(job_return, None, trace, ran_out, worn)

    @classmethod
    def of_error(cls, error: BaseException) -> "Reply":
        return cls(error=error, trace=_format(error))

    def pack(self) -> bytes:
        """Pickle the reply for the controller. An exception is pickled separately: it may fail to unpickle there."""
        parts = vars(self).copy()
        if self.error is not None:
            parts["error"] = PackedError.of(self.error)
        if self.job_return is not None:
            parts["job_return"] = _packed(self.job_return)
        packed: bytes = cloudpickle.dumps(parts)
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> "Reply":
        """Unpickle a reply in the controller, without importing the modules of an exception."""
        reply = cls(**pickle.loads(packed))
        if isinstance(reply.error, PackedError):
            reply.error = reply.error.open(reply.trace)
        if reply.job_return is not None:
            reply.job_return = _opened(reply.job_return, reply.trace)
        return reply


def _packed(job_return: JobReturn) -> JobReturn:
    """The same JobReturn, with its result as plain values, or its exception as PackedError."""
    value = job_return._return_value
    if job_return.status == JobStatus.FAILED:
        return replace(job_return, _return_value=PackedError.of(value))
    try:
        return replace(job_return, _return_value=plain(value))
    except Exception as error:  # a class of the job may fail in any way
        return replace(job_return, status=JobStatus.FAILED, _return_value=PackedError.of(error))


def _opened(job_return: JobReturn, trace: str | None) -> JobReturn:
    value = job_return._return_value
    return replace(job_return, _return_value=value.open(trace)) if isinstance(value, PackedError) else job_return


def _is_out_of_device_memory(error: BaseException) -> bool:
    if type(error).__name__ == OUT_OF_MEMORY:
        return True
    return isinstance(error, RuntimeError) and OUT_OF_MEMORY_SAID.search(str(error)) is not None


def _format(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


class NotPlainError(TypeError):
    """A job returned a value that is neither a number nor text, nor a list or mapping of these."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"the task returned a value of type {self.kind}, but must return a number"


def plain(value: Any) -> Any:
    """A value as None, bool, int, float, str or bytes, or as lists, tuples and dicts of them.

    Numbers of NumPy and PyTorch become Python numbers.

    Raises:
        NotPlainError: the value has no such form.
    """
    if value is None or type(value) in KINDS:
        return value
    if OmegaConf.is_config(value):
        return plain(OmegaConf.to_container(value, resolve=True))
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    for kind in KINDS:
        if isinstance(value, kind):
            return kind(value)
    for convert in (operator.index, float):
        try:
            return convert(value)
        except Exception:  # a type may fail in any way
            continue
    raise NotPlainError(type(value).__name__)
