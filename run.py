"""Run one experiment, or with -m several: `python run.py --help` tells how."""

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli import as_job, run_command
from sweeps import progress


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
@as_job
def main(config: DictConfig) -> float | list[float]:
    """The objective of the experiment; a list where several are named."""
    from spectral import experiment

    # In a multirun each job has a folder of its own.
    config.run_dir = HydraConfig.get().runtime.output_dir
    # What an experiment gives does not depend on the search that chose it.
    config.sweep = None
    return experiment.run(config, on_epoch=progress.epoch_callback())


if __name__ == "__main__":
    run_command(main)
