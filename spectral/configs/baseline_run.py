"""What `python -m spectral.baseline` takes: the keys of run.py that say which spectra, and a method for the network."""

from dataclasses import dataclass, field
from typing import Any, Optional

from omegaconf import DictConfig

from spectral.configs.fields import number
from spectral.configs.inputs import InputsConfig
from spectral.configs.methods import methods
from spectral.configs.objective import Objectives
from spectral.configs.root import REGISTRIES, ExperimentConfig, typed_as
from spectral.configs.typed_nodes import store_schema
from spectral.errors import UserError

OTHERS = ("sampler", "model", "loss", "optimizer", "lr_schedule")
BASELINE_REGISTRIES = (*(registry for registry in REGISTRIES if registry.group not in OTHERS), methods)
OBJECTIVES = "val/"  # how the objectives of a baseline begin: it has no training loss


@dataclass
class BaselineRunConfig(Objectives):
    """What `python -m spectral.baseline` takes. Keys of run.py mean the same here."""

    seed: int = number(0, at_least=0, at_most=2**31 - 1)  # of whatever the method draws
    run_dir: Optional[str] = None  # the folder of the run
    objective: Any = "val/macro_f1"  # a metric name, or a list of them
    num_threads: Optional[int] = number(None, at_least=1)  # of the CPU; null: one per core
    score_test: bool = True  # false: hold the test split back; the same command with true scores it later
    cache_dir: str = "outputs/surveys"  # the folder of packed surveys, which runs share
    data: Any = None
    split: Any = None
    transform: Any = None
    inputs: InputsConfig = field(default_factory=InputsConfig)
    method: Any = None
    decision: Any = None
    tracker: Any = None
    plots: bool = True  # false: no pictures in the run folder


AnyRunConfig = ExperimentConfig | BaselineRunConfig

store_schema("baseline_config", BaselineRunConfig)


def typed_baseline(config: DictConfig) -> BaselineRunConfig:
    """Check a composed config and give it as dataclasses, each group by its registry.

    Raises:
        UserError: for the first key, type or range that is not allowed.
    """
    baseline: BaselineRunConfig = typed_as(config, BaselineRunConfig, BASELINE_REGISTRIES)
    for objective in baseline.objectives:
        if not objective.startswith(OBJECTIVES):
            raise UserError(f"objective={objective} is no score of a baseline: allowed are val/macro_f1 and its like.")
    return baseline
