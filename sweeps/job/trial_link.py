"""The link from a job to its trial: written by the controller into the job's environment, read inside the job."""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

VARIABLE = "SPECTRAL_TRIAL"


@dataclass(frozen=True)
class TrialLink:
    """The trial and study that a job belongs to, and what the job reports.

    Args:
        owner: the controller that submitted the job; see lease.py.
        objective: the metric whose value is reported after each epoch.
        takes_steps: whether the values that this job reports become the steps of the trial, for the pruner. A trial has
            one value per step, and none with several objectives: then a job reports progress only for the display.
        pruner: name of the pruner that may end the job; "none" if none may.
        promote: whether the pruner only pauses the trial.
        num_seeds: of the trial; the pruner may end it after the last epoch of its first seed, before the others run.
        constraints: as in `sweep.constraints`.
        timeout_s: how long a call waits for the storage.
        report_timeout_s: how long the job waits for its reports.
    """

    storage: str
    study: str
    trial_id: int
    number: int
    owner: str
    seed_index: int = 0
    objective: str = "objective"
    takes_steps: bool = True
    pruner: str = "none"
    pruning: dict[str, Any] = field(default_factory=dict, hash=False)
    promote: bool = False
    num_seeds: int = 1
    constraints: dict[str, Any] = field(default_factory=dict, hash=False)
    timeout_s: float = 60.0
    report_timeout_s: float = 10.0

    @classmethod
    def of_job(cls) -> "TrialLink | None":
        """The link of the job that runs in this process; None outside a sweep."""
        text = os.environ.get(VARIABLE)
        return cls(**json.loads(text)) if text else None

    def open_storage(self) -> "BaseStorage":
        """The storage of the study.

        Raises:
            FileNotFoundError: its file is gone. To open it would make an empty one.
            UserError: it has not answered for `timeout_s`.
        """
        from sweeps.storage.connect import open_storage
        from sweeps.storage.urls import file_of

        file = file_of(self.storage)
        if file is not None and not file.is_file():
            raise FileNotFoundError(f"{file} is gone")
        return open_storage(self.storage, self.timeout_s)

    def override(self) -> str:
        """The Hydra override that puts the link into the job's environment, whatever the launcher."""
        text = json.dumps(asdict(self))
        # These characters have a meaning for Hydra and OmegaConf, so they are written as JSON escapes.
        for mark in ("\\\\", "'", "$"):
            text = text.replace(mark, f"\\u{ord(mark[0]):04x}")
        return f"++hydra.job.env_set.{VARIABLE}='{text}'"
