"""What state a run is in, by the files of its folder."""

import time
from pathlib import Path

from sweeps.files import load_json
from sweeps.outputs import TRIAL_FILE
from sweeps.storage.locks import is_locked

STALE_AFTER_S = 24 * 3600
FILES = ("config.yaml", "metrics.jsonl", "last.ckpt", "result.json")
ENDED = {"fail": "failed", "pruned": "pruned"}  # by trial.json


def unfinished_status(folder: Path) -> str:
    """Of a run without a result: running, pruned, failed, stopped or stale. Any error of its files is raised."""
    if is_locked(folder / "run.lock"):
        return "running"
    return ENDED.get(load_json(folder / TRIAL_FILE).get("state", ""), without_result(_changed_s(folder)))


def _changed_s(folder: Path) -> float:
    return max((folder / name).stat().st_mtime for name in FILES if (folder / name).is_file())


def without_result(changed_s: float) -> str:
    """The status of what nobody works on and what has no result."""
    return "stale" if time.time() - changed_s > STALE_AFTER_S else "stopped"
