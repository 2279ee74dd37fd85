"""last.ckpt: what a stopped run needs to resume and end with the same numbers.

Batches, dropout and augmentation of an epoch depend on the seed and the epoch's number alone, so no generator's state
is kept. The file is read with `weights_only=True`: it holds tensors and plain values and can run no code.
"""

import io
import logging
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from spectral.errors import UserError
from spectral.files import write_bytes
from spectral.runs.folder import RunFolder
from spectral.runs.weights import load_weights

log = logging.getLogger(__name__)

RENAMED = {"averaged": "ema"}  # what earlier versions called a field
OUT_OF_MEMORY = "DefaultCPUAllocator"  # in the message of a RuntimeError: PyTorch raises no MemoryError


@dataclass
class Checkpoint:
    """The state after `epoch` epochs in all, the last of them `epoch_in_stage` of stage number `stage` (0 = first)."""

    stage: int
    epoch_in_stage: int
    epoch: int
    network: dict[str, Any]
    ema: dict[str, Any] | None
    optimizer: dict[str, Any]
    lr_schedule: dict[str, Any]
    best_score: float | None
    best_epoch: int
    best_stage: int
    data_digest: str  # of the spectra and their split
    epochs_without_gain: int = 0
    train_s: float = 0.0  # spent so far, for time/train_s
    rows: list[dict[str, Any]] = field(default_factory=list)  # of metrics.jsonl, which a power failure may cut


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    # In memory first: torch hides a full disk behind an error of its own.
    content = io.BytesIO()
    torch.save(asdict(checkpoint), content)
    write_bytes(path, content.getvalue())


def load_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint, or None if there is none or it is damaged: it is then renamed, and the log says so.

    Raises:
        UserError: it cannot be read. It may be whole, so that training again would throw it away.
    """
    try:
        content = io.BytesIO(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}; change that, or remove it to train from the beginning."
        ) from error
    try:
        saved = torch.load(content, map_location="cpu", weights_only=True)
        current = {RENAMED.get(name, name): value for name, value in saved.items()}
        known = {field.name for field in fields(Checkpoint)}  # a later version may have written more
        return Checkpoint(**{name: value for name, value in current.items() if name in known})
    except MemoryError:
        raise
    except Exception as error:  # corrupt bytes can raise anything in the reader
        if OUT_OF_MEMORY in str(error):
            raise
        damaged = _set_aside(path, "damaged")
        said = "%s cannot be read (%s): it is kept as %s, and the run starts again from its beginning."
        log.warning(said, path, type(error).__name__, damaged.name)
        return None


def _set_aside(path: Path, why: str) -> Path:
    """Rename a checkpoint that is no use here, so that the next one does not replace it. Gives its path."""
    return path.replace(path.with_name(f"{path.name}.{why}"))


def load_resumable(folder: RunFolder) -> Checkpoint | None:
    """The checkpoint that a run resumes from, with the row of each epoch until then; None: from the beginning.

    Rows that metrics.jsonl has lost are those of the checkpoint. An earlier version kept none there: if it lacks a row
    in both places, the run starts again, which is logged, and the checkpoint is renamed.

    Raises:
        UserError: the weights of the run cannot be read. The sentence says how to start again.
    """
    saved = load_checkpoint(folder.checkpoint)
    if saved is None:
        return None
    rows = {row["epoch"]: row for row in [*saved.rows, *folder.readable_metrics()]}
    saved.rows = [rows[epoch] for epoch in range(1, saved.epoch + 1) if epoch in rows]
    if len(saved.rows) < saved.epoch:
        kept = _set_aside(folder.checkpoint, "incomplete")
        said = "%s lacks epochs that %s has: it is kept as %s, and the run starts again from its beginning."
        log.warning(said, folder.metrics, folder.checkpoint, kept.name)
        return None
    if saved.best_epoch:
        check_weights(folder.weights, folder)
    return saved


def restore_network(network: nn.Module, saved: Checkpoint, folder: RunFolder) -> None:
    """Give a network the weights of the run's checkpoint.

    Raises:
        UserError: they are not this network's.
    """
    try:
        network.load_state_dict(saved.network)
    except RuntimeError as error:
        raise UserError(
            f"run_dir={folder.path} began with another network: {folder.checkpoint.name} does not fit the class of the "
            "model, which has changed since, so give another run_dir."
        ) from error


def check_weights(path: Path, folder: RunFolder) -> None:
    """Raise UserError if weights that a run has kept cannot be read; the sentence says how to start again."""
    try:
        load_weights(path)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path} cannot be read: it is missing, or was changed or cut short; put it back, or delete "
            f"{folder.checkpoint} and give the same command again to train from the beginning."
        ) from error
