"""python -m spectral.pretrain data=... model=...: a network learns to reconstruct masked pixels, without labels."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from spectral.cli.run import as_job, run_command
from spectral.configs.pretraining import typed_pretraining


@hydra.main(version_base="1.3", config_path="../conf", config_name="pretrain")
@as_job
def main(config: DictConfig) -> float:
    """The loss of the weights that are kept."""
    # In a multirun each job has a folder of its own. An empty run_dir stays so, to be refused.
    config.run_dir = config.run_dir and HydraConfig.get().runtime.output_dir
    pretraining = typed_pretraining(config)  # a mistake is found before torch is imported, which takes seconds
    if not (Path(config.run_dir) / "config.yaml").exists():  # a run that is finished needs its data no more
        from spectral.availability import check_data

        check_data(pretraining.data)
    from spectral.pretraining.run import run

    return run(config)


if __name__ == "__main__":
    run_command(main)
