"""python -m spectral.predict run=FOLDER data=... out=FILE: classify spectra with a run."""

if __name__ == "__main__":
    from spectral.cli.startup import begin_command

    begin_command()

import hydra
from omegaconf import DictConfig

import spectral.configs.root  # noqa: F401  (puts the typed configs where Hydra finds them)
from spectral.cli.run import as_job, run_command
from spectral.prediction.command import run_predict


@hydra.main(version_base="1.3", config_path="../conf", config_name="predict")
@as_job
def main(config: DictConfig) -> None:
    run_predict(config)


if __name__ == "__main__":
    run_command(main)
