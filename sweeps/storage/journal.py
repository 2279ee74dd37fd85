"""The default storage: a journal file of Optuna's format, made safe against killed writers and damaged lines.

Optuna's own locks stay for 30 s after a process is killed. Its own append writes the next entry at the end of an
incomplete line, and then the whole journal cannot be read. Here the kernel releases the lock when its holder dies, and
the next writer blanks the incomplete line. A trial costs an eighth of the time that SQLite needs (docs/sweeps.md).

Nothing here shortens the file, and every batch of entries is one append at its end. So no entry is lost on a shared
file system whose locks hold on one machine only, as long as the system itself appends as a whole.
"""

import errno
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock
from optuna.storages.journal import BaseJournalBackend
from optuna.storages.journal._storage import JournalOperation

from sweeps.errors import user_error

POLL_S = 0.002
TAIL_BYTES = 1 << 16
# How long an incomplete or damaged line may take to become whole: a machine that our lock does not reach may write it.
SETTLE_S = 0.2
# The fields that Optuna reads of each operation.
STUDY, TRIAL = {"op_code", "worker_id", "study_id"}, {"op_code", "worker_id", "trial_id"}
FIELDS = {
    JournalOperation.CREATE_STUDY: {"op_code", "worker_id", "study_name", "directions"},
    JournalOperation.DELETE_STUDY: STUDY,
    JournalOperation.SET_STUDY_USER_ATTR: {*STUDY, "user_attr"},
    JournalOperation.SET_STUDY_SYSTEM_ATTR: {*STUDY, "system_attr"},
    JournalOperation.CREATE_TRIAL: {*STUDY, "datetime_start"},
    JournalOperation.SET_TRIAL_PARAM: {*TRIAL, "param_name", "param_value_internal", "distribution"},
    JournalOperation.SET_TRIAL_STATE_VALUES: {*TRIAL, "state", "values"},
    JournalOperation.SET_TRIAL_INTERMEDIATE_VALUE: {*TRIAL, "step", "intermediate_value"},
    JournalOperation.SET_TRIAL_USER_ATTR: {*TRIAL, "user_attr"},
    JournalOperation.SET_TRIAL_SYSTEM_ATTR: {*TRIAL, "system_attr"},
    JournalOperation.DISCARD_TRIALS: {"op_code"},
}


class DamagedLine(Exception):  # noqa: N818  (of this module alone: users see a UserError)
    """A line holds no entry; its number is counted from 1."""

    def __init__(self, number: int) -> None:
        self.number = number


class SafeJournal(BaseJournalBackend):
    """A journal file at `path`, which is made if it is missing.

    Args:
        timeout_s: how long to wait for its lock; then filelock.Timeout, an OSError, is raised.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        self._path = path
        self._kernel_lock = FileLock(f"{path}.lock", timeout=timeout_s, poll_interval=POLL_S, thread_local=False)
        self._read_to = (0, 0)  # number of entries read so far, and the position in bytes after them
        if not path.exists():
            path.open("ab").close()

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """The entries from a number on. A last line that is not complete yet is left out.

        Raises:
            UserError: a line is damaged.
        """
        try:
            return self._read(log_number_from)
        except DamagedLine:
            time.sleep(SETTLE_S)
        try:
            return self._read(log_number_from)
        except DamagedLine as line:
            raise user_error(_damaged_sentence(self._path, line.number)) from None

    def _read(self, log_number_from: int) -> list[dict[str, Any]]:
        """As `read_logs`, but raises DamagedLine at once."""
        number, position = self._read_to if self._read_to[0] == log_number_from else (0, 0)
        entries = []
        with self._path.open("rb") as file:
            file.seek(position)
            for line in _whole_lines(file):
                number, position = number + 1, position + len(line)
                if number > log_number_from:
                    entries.append(_entry(line, number))
        self._read_to = number, position
        return entries

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries in one write, all or none."""
        entries = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in logs).encode()
        if not self._path.exists():
            # Locking would create the folder again, and block the real folder from coming back.
            raise FileNotFoundError(f"{self._path} is gone")
        with self._kernel_lock:
            file = os.open(self._path, os.O_RDWR | os.O_APPEND)
            try:
                self._blank_incomplete_line(file)
                self._append(file, entries)
            finally:
                os.close(file)

    def _append(self, file: int, entries: bytes) -> None:
        try:
            num_written = os.write(file, entries)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error
        if num_written < len(entries):  # the disk is full now
            end = os.lseek(file, 0, os.SEEK_CUR)
            self._blank(end - num_written, end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def _blank_incomplete_line(self, file: int) -> None:
        """Overwrite what a killed writer left of its last line with spaces, which JSON allows before an entry."""
        begin, content = _incomplete_line(file)
        if content.strip(b" "):
            time.sleep(SETTLE_S)
            if _incomplete_line(file) == (begin, content):
                self._blank(begin, begin + len(content))

    def _blank(self, begin: int, end: int) -> None:
        with self._path.open("r+b", buffering=0) as file:
            file.seek(begin)
            file.write(b" " * (end - begin))


def _whole_lines(file: Iterable[bytes]) -> Iterator[bytes]:
    for line in file:
        if not line.endswith(b"\n"):
            return
        yield line


def _entry(line: bytes, number: int) -> dict[str, Any]:
    """The entry of a line. Raises DamagedLine if it holds none."""
    try:
        entry: dict[str, Any] = json.loads(line)
        if FIELDS[entry["op_code"]] <= entry.keys():
            return entry
    except (ValueError, RecursionError, TypeError, LookupError):
        pass  # not JSON, not a mapping, or not an operation
    raise DamagedLine(number)


def _damaged_sentence(path: Path, number: int) -> str:
    restore = f"{path} cannot be read: line {number} is damaged. Restore the file from a backup"
    if number == 1:
        return f"{restore}, or move it away: the same command then begins the study again."
    kept = f"keep only the {number - 1} lines before it" if number > 2 else "keep only the line before it"
    return f"{restore}, or {kept}: the same command then resumes the study as it was at that time."


def _incomplete_line(file: int) -> tuple[int, bytes]:
    """What comes after the last complete line: its position in bytes, and its content."""
    begin, content = os.fstat(file).st_size, b""
    while begin > 0:
        start = max(0, begin - TAIL_BYTES)
        block = os.pread(file, begin - start, start)
        newline = block.rfind(b"\n")
        content, begin = block[newline + 1 :] + content, start + newline + 1 if newline >= 0 else start
        if newline >= 0:
            break
    return begin, content
