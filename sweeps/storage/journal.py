"""The default storage: Optuna's journal file, made safe against processes that are killed while writing.

Optuna's own locks stay for 30 s after a process is killed. Its own append writes the next entry at the end of an
incomplete line, and then the whole journal cannot be read. Here the kernel releases the lock when its holder dies, and
the next writer first removes the incomplete line. A trial costs an eighth of the time that SQLite needs
(docs/sweeps.md).
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
        timeout_s: how long to wait for its lock; then filelock.Timeout, an OSError, is raised.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path = path
        self._kernel_lock = FileLock(f"{path}.lock", timeout=timeout_s, poll_interval=POLL_S, thread_local=False)
        super().__init__(str(path))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        entries = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in logs).encode()
        if not self._path.exists():
            # Locking would create the folder again, and block the real folder from coming back.
            raise FileNotFoundError(f"{self._path} is gone")
        with self._kernel_lock, self._path.open("r+b", buffering=0) as file:
            end = _end_of_whole_lines(file.fileno())
            os.ftruncate(file.fileno(), end)
            try:
                _write_all(file.fileno(), entries, end)
            except OSError as error:  # a full disk: remove the incomplete line
                os.ftruncate(file.fileno(), end)
                raise OSError(error.errno, error.strerror, str(self._path)) from error


def _end_of_whole_lines(file: int) -> int:
    """The position in bytes where the last complete line ends."""
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
