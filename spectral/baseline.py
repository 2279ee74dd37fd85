"""python -m spectral.baseline method=NAME data=...: a classical method, in a run folder next to those of networks."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

import logging
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from spectral.cli.run import as_job, run_command
from spectral.configs.baseline_run import typed_baseline

log = logging.getLogger(__name__)


@hydra.main(version_base="1.3", config_path="../conf", config_name="baseline")
@as_job
def main(config: DictConfig) -> float | list[float]:
    """The objective of the run; a list if several are named."""
    # In a multirun each job has a folder of its own. An empty run_dir stays so, to be refused.
    config.run_dir = config.run_dir and HydraConfig.get().runtime.output_dir
    baseline = typed_baseline(config)  # a mistake is found before torch is imported, which takes seconds
    if not (Path(config.run_dir) / "config.yaml").exists():  # a run that is finished needs its data no more
        from spectral.availability import check_data

        check_data(baseline.data)
    from spectral.baselines.run import run

    _warn_of_one_fold(baseline.split)
    return run(config)


def _warn_of_one_fold(split: Any) -> None:
    """`run.py -m` runs all folds of split=kfold as replicates of a configuration; the jobs here are Hydra's own."""
    given = HydraConfig.get().overrides.task
    is_chosen = any(str(override).lstrip("+").startswith("split.fold=") for override in given)
    if HydraConfig.get().mode == RunMode.MULTIRUN and split.name == "kfold" and not is_chosen:
        folds = ",".join(str(fold) for fold in range(split.num_folds * split.num_repeats))
        log.warning("split=kfold runs fold %d alone here: split.fold=%s runs each of them.", split.fold, folds)


if __name__ == "__main__":
    run_command(main)
