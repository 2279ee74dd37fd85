"""Processes that make the parts of a pack at the same time."""

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import pyarrow as pa

from spectral.data.packing.parts import PartJob, Span
from spectral.errors import UserError
from spectral.processes import num_cores

UNGUARDED = (
    'in a script, put what opens a survey under `if __name__ == "__main__":`, since every packing process imports the '
    "script again; or give num_workers=1."
)

_job: PartJob | None = None  # of this packing process


def make_parts(job: PartJob, spans: list[Span], ids: list[str], num_workers: int | None) -> Iterator[Span]:
    """Make parts, and yield the span of each when its file is whole.

    Args:
        ids: of all rows of the catalog, for messages.
        num_workers: processes; None: one per core. Where one would do, none is started.

    Raises:
        UserError: a row is bad and the user did not allow it, a disk is full, or a process was killed or cannot start.
    """
    num_workers = min(num_workers or num_cores(), len(spans))
    if num_workers <= 1:
        yield from (job.make(span, ids[slice(*span)]) for span in spans)
        return
    context = multiprocessing.get_context("spawn")  # the same on every system, and safe next to threads
    started = context.Event()
    # By a file: a process that ends before it has read all that is piped to it would leave this one waiting.
    with tempfile.TemporaryDirectory(dir=job.folder, prefix="job-") as folder:
        path = Path(folder) / "job.pickle"
        path.write_bytes(pickle.dumps(job))
        pool = ProcessPoolExecutor(num_workers, mp_context=context, initializer=_start, initargs=(path, started))
        try:
            futures = [pool.submit(_make, span, ids[slice(*span)]) for span in spans]
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise UserError(_why_broken(started.is_set())) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _why_broken(has_started: bool) -> str:
    if not has_started:
        return f"No packing process could start: {UNGUARDED}"
    return (
        "A packing process was killed, most often for lack of memory: a smaller data.rows_per_part or "
        "data.num_workers helps, and finished parts are kept."
    )


def end_if_importing_main() -> None:
    """End a process that still imports the script that started it, and would wait here for what its parent holds."""
    # What multiprocessing itself looks at before a process may start another; there is no public name for it.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(f"A survey is opened while a packing process starts: {UNGUARDED}")


@contextmanager
def lean_tables() -> Iterator[None]:
    """Tables give their memory back: Arrow's usual allocator keeps what it once had, some 1 kB a catalog row."""
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


def _start(path: Path, started: Event) -> None:
    global _job
    started.set()
    _job = pickle.loads(path.read_bytes())
    pa.set_memory_pool(pa.system_memory_pool())  # see lean_tables
    leave_ending_to_parent()


def leave_ending_to_parent() -> None:
    """What each process of a pool begins with: Ctrl-C is its parent's to handle, and it ends with a killed parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot stop its processes, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(span: Span, ids: list[str]) -> Span:
    assert _job is not None
    return _job.make(span, ids)
