"""The default storage: Optuna's journal file, made safe against processes that are killed in mid-write.

Optuna's own locks outlive a killed process for 30 s, and its own append puts the next entry onto a line that was cut
short, after which the whole journal cannot be read. Here the kernel frees the lock with its holder, and the next writer
removes the unfinished line first. Measured against SQLite (docs/sweeps.md): a trial costs an eighth of the time.
"""

import json
import os
from pathlib import Path
from typing import Any

from filelock import FileLock
from optuna.storages.journal import JournalFileBackend

POLL_S = 0.002
TAIL_BYTES = 1 << 16


class SafeJournal(JournalFileBackend):
    """A journal file at `path`.

    Args:
        timeout_s: how long its lock is waited for; then filelock.Timeout, an OSError, is raised.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path = path
        self._kernel_lock = FileLock(f"{path}.lock", timeout=timeout_s, poll_interval=POLL_S, thread_local=False)
        super().__init__(str(path))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        entries = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in logs).encode()
        if not self._path.exists():
            # The lock would make its folder again, in the way of the one that comes back.
            raise FileNotFoundError(f"{self._path} is gone")
        with self._kernel_lock, self._path.open("r+b", buffering=0) as file:
            end = _end_of_whole_lines(file.fileno())
            os.ftruncate(file.fileno(), end)
            try:
                _write_all(file.fileno(), entries, end)
            except OSError as error:  # a full disk: leave no half
                os.ftruncate(file.fileno(), end)
                raise OSError(error.errno, error.strerror, str(self._path)) from error


def _end_of_whole_lines(file: int) -> int:
    """Where the last finished line ends, in bytes."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - TAIL_BYTES)
        newline = os.pread(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _write_all(file: int, content: bytes, offset: int) -> None:
    while content:
        written = os.pwrite(file, content, offset)
        content, offset = content[written:], offset + written
