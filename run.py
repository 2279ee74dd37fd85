"""Run one experiment, or with -m several: `python run.py --help` shows how."""

if __name__ == "__main__":
    from sweeps.own_spectral import require_own_spectral

    require_own_spectral()
    from spectral.cli.startup import begin_command

    begin_command()

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from spectral.availability import check_available
from spectral.cli.run import as_job, run_command
from spectral.configs.root import typed
from spectral.imports import quick_imports
from sweeps.job import progress
from sweeps.planning.arguments import refuse_search

# Shown after training on the survey that comes with the product: its user is likely to be new.
NEXT_STEPS = """
What to try next:
  python run.py -m sweep=widths sweep.num_trials=6      search for a better width, in all slots of the machine
  python -m sweeps.report widths                        the report of that search, one HTML page
  python run.py data=arrays data.path=survey.npz        your own spectra: an NPZ with flux and type (docs/data.md)"""


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
@as_job
def main(config: DictConfig) -> float | list[float]:
    """The objective of the experiment; a list if several are named."""
    refuse_search()
    # In a multirun each job has a folder of its own. An empty run_dir stays so, to be refused.
    config.run_dir = config.run_dir and HydraConfig.get().runtime.output_dir
    experiment_config = typed(config)  # a mistake is found before torch is imported, which takes seconds
    if not (Path(config.run_dir) / "config.yaml").exists():  # a run that is finished needs its data no more
        check_available(config)
    with quick_imports():
        from spectral import experiment
        from sweeps.job.tracked_as import tracked_as

    # The result of an experiment must not depend on the search that chose its config.
    config.sweep = None
    objective = experiment.run(
        config,
        on_epoch=progress.epoch_callback(last_epoch=experiment_config.schedule.num_epochs),
        on_network=progress.check_constraints,
        tracked_as=tracked_as(Path(config.run_dir), config.seed),
    )
    if config.data.name == "simulated" and HydraConfig.get().mode == RunMode.RUN:
        print(NEXT_STEPS)
    return objective


def explain(error: HydraException) -> str | None:
    """The message for a mistake in a search; None for other mistakes."""
    from sweeps.space.messages import search_sentence  # only if there is a mistake: a command begins sooner

    return search_sentence(error)


if __name__ == "__main__":
    run_command(main, explain)
