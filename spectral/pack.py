"""python -m spectral.pack data=... out=FOLDER: pack a survey ahead of time."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

import hydra
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.data.packing.command import run_pack


@hydra.main(version_base="1.3", config_path="../conf", config_name="pack")
@as_job
def main(config: DictConfig) -> None:
    run_pack(config)


if __name__ == "__main__":
    run_command(main)
