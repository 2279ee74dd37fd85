"""The status of a run, from the files of its folder."""

import time
from pathlib import Path

from sweeps.files import load_json
from sweeps.outputs import TRIAL_FILE
from sweeps.storage.locks import is_locked

STALE_AFTER_S = 24 * 3600
FILES = ("config.yaml", "metrics.jsonl", "last.ckpt", "result.json")
ENDED = {"fail": "failed", "pruned": "pruned", "paused": "paused"}  # by trial.json


def unfinished_status(folder: Path) -> str:
    """Status of a run without a result: running, pruned, paused, failed, stopped or stale.

    Raises any error of its files.
    """
    if is_locked(folder / "run.lock"):
        return "running"
    return ENDED.get(load_json(folder / TRIAL_FILE).get("state", ""), without_result(last_change_s(folder)))


def last_change_s(folder: Path) -> float:
    """When a file of a run was last written, in seconds since 1970."""
    return max((folder / name).stat().st_mtime for name in FILES if (folder / name).is_file())


def without_result(changed_s: float) -> str:
    """The status of a run or study that is not running and has no result: stopped, or stale after some time."""
    return "stale" if time.time() - changed_s > STALE_AFTER_S else "stopped"
