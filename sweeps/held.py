"""Whether a file is locked by a process that lives, asked without getting in its way."""

from pathlib import Path


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock of a file, as filelock takes it; the kernel frees it with its holder.

    Asked by sharing the lock for an instant: two that ask never take each other for a holder.
    """
    import fcntl

    if not path.is_file():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
