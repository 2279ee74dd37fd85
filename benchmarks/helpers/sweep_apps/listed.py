"""An Optuna sampler for hydra-optuna-sweeper that returns the configurations in a file, in order."""

import json
import os
from pathlib import Path
from typing import Any

from optuna.samplers import BaseSampler

VARIABLE = "BENCHMARK_CONFIGURATIONS"


class Listed(BaseSampler):
    """Gives trial n the n-th configuration. Accepts the sampler options of hydra-optuna-sweeper, but ignores them."""

    def __init__(self, **_: Any) -> None:
        self._configurations = json.loads(Path(os.environ[VARIABLE]).read_text())

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
        return self._configurations[trial.number][param_name]
