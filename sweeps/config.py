"""What `sweep.*` takes: the typed config of a sweep. `conf/sweep/default.yaml` tells what each key is for."""

from dataclasses import dataclass, field
from typing import Any, Optional

from hydra.core.config_store import ConfigStore

SAMPLERS = ("tpe", "gp", "cmaes", "random", "qmc", "grid", "nsga2")
DEFAULT_SAMPLER = "tpe"
PRUNERS = ("none", "asha", "hyperband", "median", "wilcoxon")


@dataclass
class PruningConfig:
    """When a pruner may act, in the steps that are reported: epochs, or seeds for wilcoxon."""

    min_steps: int = 1  # never before so many steps
    max_steps: Optional[int] = None  # hyperband: the longest run; null takes it from the first that completes
    startup_trials: int = 5  # median: so many trials end unpruned first
    reduction_factor: int = 3  # asha, hyperband: one in so many goes on at each rung
    p_threshold: float = 0.1  # wilcoxon: the higher, the sooner it prunes


@dataclass
class SweepConfig:
    """One sweep. Null means what the comment in conf/sweep/default.yaml says."""

    study_name: Optional[str] = None
    storage: Optional[str] = None
    num_trials: Optional[int] = None
    objective: Any = None
    direction: Any = None
    sampler: Optional[str] = None
    pruner: str = "none"
    pruning: PruningConfig = field(default_factory=PruningConfig)
    seeds: Any = 1
    seed_key: str = "seed"
    seed: int = 0
    space: dict[str, Any] = field(default_factory=dict)
    enqueue: list[Any] = field(default_factory=list)
    constraints: dict[str, Any] = field(default_factory=dict)
    search_overrides: list[str] = field(default_factory=list)
    check: Optional[str] = None
    free_keys: list[str] = field(default_factory=list)
    max_failures: Optional[int] = None
    retry_failed: bool = False
    max_retries: int = 2
    start_timeout_s: float = 300.0
    lost_after_s: float = 60.0
    storage_timeout_s: float = 120.0
    batch_size: Optional[int] = None
    report: bool = True


ConfigStore.instance().store("sweep", SweepConfig, group="hydra/typed", provider="sweeps")
