"""What a catalog of predictions is made of, and where it comes from."""

from datetime import UTC, datetime
from typing import Any

from spectral import DISTRIBUTION, __version__
from spectral.configs.commands import PredictConfig
from spectral.prediction.applied_run import AppliedRun
from spectral.prediction.blocks import Blocks

PLAN_FORMAT = 1  # raised when parts of earlier versions cannot be used
# What the command may ask for when parts are made; auto: it does not.
OF_COMPUTING = ("precision", "kernel")
OF_THE_FILE = ("keep_columns", "reject", "reject_below", "priors")  # what the command asks for when parts are joined


def plan_of(run: AppliedRun, blocks: Blocks, command: PredictConfig) -> dict[str, Any]:
    """All that decides over the numbers in the parts: parts of another plan are not used."""
    asked = {key: getattr(command, key) for key in OF_COMPUTING if run.network is not None}
    plan = {
        "plan_format": PLAN_FORMAT,
        "version": __version__,
        "model": run.digest(),
        "data": blocks.fingerprint,
        "settings": dict(blocks.settings),
        "rows_per_part": command.rows_per_part,
        **{key: value for key, value in asked.items() if value != "auto"},
    }
    return plan if run.other_shifts is None else plan | {"evaluate_shifts": run.other_shifts}


def made_of(plan: dict[str, Any], command: PredictConfig, kind: str) -> dict[str, Any]:
    """All that decides over the content of the file."""
    return {**plan, "file_format": kind, **{key: getattr(command, key) for key in OF_THE_FILE}}


def origin(run: AppliedRun, plan: dict[str, Any]) -> dict[str, str]:
    """What the file's own header says: run, digest of the model, fingerprint of the data, version, date, options."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made_of = {"run": str(run.path), "model": plan["model"], "data": plan["data"]}
    made_of |= {key: plan[key] for key in OF_COMPUTING if key in plan}
    if run.other_shifts is not None:
        made_of["evaluate_shifts"] = ",".join(map(str, run.other_shifts)) or "none"
    return {**made_of, "version": f"{DISTRIBUTION} {plan['version']}", "date": now}
