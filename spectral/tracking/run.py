"""What an experiment logs to its tracker: its name and config, each epoch, how it ended."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
import torch
from hydra.core.hydra_config import HydraConfig

from spectral.configs.baseline_run import AnyRunConfig
from spectral.configs.objective import objective_direction
from spectral.configs.pretraining import PretrainingConfig
from spectral.plots.pictures import Plots
from spectral.runs.folder import RunFolder
from spectral.runs.identity import is_free
from spectral.tracking.backends.contract import Ending, TrackedAs, TrackedRun
from spectral.tracking.client import Tracking

EpochCallback = Callable[[int, dict[str, Any]], None]

BEST_BY = {"val/macro_f1": "max", "val/accuracy": "max", "val/log_loss": "min", "train/loss": "min"}


class RunTracking:
    """Tracks what happens in its block; does nothing with tracker=none."""

    def __init__(
        self,
        config: AnyRunConfig | PretrainingConfig,
        resolved_config: dict[str, Any],
        folder: RunFolder,
        device: torch.device,
        class_names: Sequence[str],
        tracked_as: TrackedAs | None = None,
    ) -> None:
        """Begin without a process; entering the block starts it.

        Args:
            resolved_config: the config as the run folder keeps it.
            tracked_as: None for a run of its own, which is named by its command.
        """
        self._config, self._folder, self._device = config, folder, device
        self._tracked_as = tracked_as or TrackedAs(_name_alone(folder.path), group="", job_type="single")
        self._about = _about(config, resolved_config, folder, class_names, self._tracked_as)
        self._tracking: Tracking | None = None
        self._has_told_earlier = False
        self._raised_by_callback: BaseException | None = None
        self._ending = Ending("finished")

    def __enter__(self) -> "RunTracking":
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        if self._config.tracker.name != "none":
            self._tracking = Tracking(self._config.tracker, self._about)
        return self

    def _tell_earlier(self, before: float = math.inf) -> None:
        """The epochs of earlier starts, once; the tracker leaves out what it has.

        Not before an epoch has ended: by then the folder has no row left that no checkpoint covers.
        """
        if self._tracking and not self._has_told_earlier:
            self._has_told_earlier = True
            for row in self._folder.read_metrics():
                if row["epoch"] < before:
                    self._tracking.log(_figures(row), row["epoch"])

    def following(self, on_epoch: EpochCallback) -> EpochCallback:
        """The callback of the training loop. What `on_epoch` raises is a decision to prune the run, not a failure."""

        def log_epoch(epoch: int, row: dict[str, Any]) -> None:
            if self._tracking:
                self._tell_earlier(before=epoch)
                self._tracking.log(_figures(row) | {"memory/mb": _memory_mb(self._device)}, epoch)
            try:
                on_epoch(epoch, row)
            except Exception as error:
                self._raised_by_callback = error
                raise

        return log_epoch

    def finished(self, result: dict[str, Any], plots: Plots) -> None:
        """The run has its result; it is logged when the block ends."""
        numbers = {f"result/{key}": value for key, value in result.items() if isinstance(value, int | float)}
        kept = [self._folder.weights, self._folder.model] if self._keeps_weights() else []
        weights = [path for path in kept if path.exists()]  # a baseline has none
        self._ending = Ending(
            "finished",
            numbers=numbers,
            images={name: str(path.absolute()) for name, path in plots.images.items()},
            tables=plots.tables,
            weights=[str(path.absolute()) for path in weights],
        )

    def _keeps_weights(self) -> bool:
        """Whether the tracker gets them too; by itself not those of one run of many."""
        wanted = getattr(self._config.tracker, "upload_weights", "never")
        return wanted == "always" or (wanted == "auto" and not self._tracked_as.is_one_of_many)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tracking:
            if error is None:
                self._tell_earlier()  # of a run that had only its scores left
            self._tracking.finish(self._ending if error is None else self._ending_of(error))

    def _ending_of(self, error: BaseException) -> Ending:
        if error is self._raised_by_callback:
            return Ending("pruned", str(error))
        if isinstance(error, KeyboardInterrupt):
            return Ending("interrupted", "stopped by Ctrl-C")
        return Ending("failed", f"{type(error).__name__}: {error}".splitlines()[0])


def _about(
    config: AnyRunConfig | PretrainingConfig,
    resolved_config: dict[str, Any],
    folder: RunFolder,
    class_names: Sequence[str],
    tracked_as: TrackedAs,
) -> TrackedRun:
    by_objective = {o: "max" if objective_direction(o) == "maximize" else "min" for o in config.objectives}
    return TrackedRun(
        id=None,
        folder=str(folder.path),
        config=resolved_config,
        name=tracked_as.name,
        group=tracked_as.group,
        job_type=tracked_as.job_type,
        is_finished=folder.load_result() is not None,
        summary_by=BEST_BY | {f"val/f1/{name}": "max" for name in class_names} | by_objective,
    )


def _name_alone(folder: Path) -> str:
    """The overrides of the command, if it has some that matter; else the folder's name."""
    given = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    return " ".join(o for o in given if not is_free(o.partition("=")[0])) or folder.name


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    """A row of metrics.jsonl, and its loss once more under the name of its stage: stages may have different losses."""
    return row | {f"train/loss/{row['stage']}": row["train/loss"]}


def _memory_mb(device: torch.device) -> float:
    """The peak of the GPU in this run; on the CPU what the process holds now, in a warm worker of earlier jobs too."""
    if device.type == "cuda":
        return float(round(torch.cuda.max_memory_allocated(device) / 2**20, 1))
    resident_bytes: int = psutil.Process().memory_info().rss
    return round(resident_bytes / 2**20, 1)
