"""The typed config of a sweep, `sweep.*`. The comments in `conf/sweep/default.yaml` explain each key."""

from dataclasses import dataclass, field
from typing import Any, Optional

from hydra.core.config_store import ConfigStore

DEFAULT_SAMPLER = "tpe"
FOLD = "split.fold"  # the key of a cross-validation's fold


@dataclass
class SweepConfig:
    """The options of one sweep. What null means is said in conf/sweep/default.yaml."""

    study_name: Optional[str] = None
    storage: Optional[str] = None
    num_trials: Optional[int] = None
    objective: Any = None
    direction: Any = None
    sampler: Optional[str] = None
    pruner: str = "none"
    pruning: dict[str, Any] = field(default_factory=dict)  # options of the pruner (sweeps/study/pruners)
    promote: bool = False
    seeds: Any = 1
    seed_key: str = "seed"
    seed: int = 0
    space: dict[str, Any] = field(default_factory=dict)
    enqueue: list[Any] = field(default_factory=list)
    constraints: dict[str, Any] = field(default_factory=dict)
    search_overrides: list[str] = field(default_factory=list)
    check: Optional[str] = None
    check_here: Optional[str] = None
    fingerprints: Optional[str] = None
    accept_changed_data: bool = False
    free_keys: list[str] = field(default_factory=list)
    max_failures: Optional[int] = None
    retry_failed: bool = False
    max_retries: int = 2
    start_timeout_s: float = 300.0
    lost_after_s: float = 60.0
    storage_timeout_s: float = 120.0
    report_timeout_s: float = 10.0
    batch_size: Optional[int] = None
    report: bool = True
    ensemble: bool = False
    ensemble_top: int = 20


ConfigStore.instance().store("sweep", SweepConfig, group="hydra/typed", provider="sweeps")
