"""What a catalog of predictions is made of, and where it comes from."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from spectral import __version__
from spectral.configs.commands import PredictConfig
from spectral.prediction.blocks import Blocks
from spectral.runs.folder import RunFolder

PLAN_FORMAT = 1  # raised when parts of earlier versions cannot be used
OF_THE_FILE = ("keep_columns", "reject", "reject_below", "priors")  # what the command asks for when parts are joined


def model_digest(folder: RunFolder) -> str:
    """A digest of the files that the classifier is built of."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (folder.model, folder.weights):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


def plan_of(folder: RunFolder, blocks: Blocks, rows_per_part: int) -> dict[str, Any]:
    """All that decides over the numbers in the parts: parts of another plan are not used."""
    return {
        "plan_format": PLAN_FORMAT,
        "version": __version__,
        "model": model_digest(folder),
        "data": blocks.fingerprint,
        "settings": dict(blocks.settings),
        "rows_per_part": rows_per_part,
    }


def made_of(plan: dict[str, Any], command: PredictConfig, kind: str) -> dict[str, Any]:
    """All that decides over the content of the file."""
    return {**plan, "file_format": kind, **{key: getattr(command, key) for key in OF_THE_FILE}}


def origin(folder: RunFolder, plan: dict[str, Any]) -> dict[str, str]:
    """What the file's own header says: run, digest of the model, fingerprint of the data, version, date."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    run = {"run": str(folder.path), "model": plan["model"], "data": plan["data"]}
    return {**run, "version": f"spectral-sweeps {plan['version']}", "date": now}
