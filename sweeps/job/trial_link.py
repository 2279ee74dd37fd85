"""What ties a job to its trial: written by the controller into the job's environment, read inside the job."""

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

VARIABLE = "SPECTRAL_TRIAL"


@dataclass(frozen=True)
class TrialLink:
    """Which trial of which study a job belongs to, and what it is to report.

    Args:
        owner: the controller that submitted the job; see lease.py.
        objective: the metric whose value is reported after each epoch.
        takes_steps: whether the study takes what is reported as its own steps, for its pruner. It has one value a step,
            and of several objectives none: other jobs tell how far they are for the display alone.
        pruner: name of the pruner that may end the job; "none" where none may.
        constraints: as in `sweep.constraints`.
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
    constraints: dict[str, Any] = field(default_factory=dict, hash=False)
    timeout_s: float = 60.0

    @classmethod
    def of_job(cls) -> "TrialLink | None":
        """The link of the job that runs in this process; None outside a sweep."""
        text = os.environ.get(VARIABLE)
        return cls(**json.loads(text)) if text else None

    def override(self) -> str:
        """The Hydra override that puts the link into the job's environment, whatever the launcher."""
        text = json.dumps(asdict(self))
        # Hydra and OmegaConf read these themselves; JSON has another way to write them.
        for mark in ("\\\\", "'", "$"):
            text = text.replace(mark, f"\\u{ord(mark[0]):04x}")
        return f"++hydra.job.env_set.{VARIABLE}='{text}'"
