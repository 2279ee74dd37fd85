"""Registers `hydra/launcher=slurm`; what it needs is imported when it is used."""

from sweeps.launchers import config, slurm

config.register("slurm", config.SlurmConfig)


class SlurmLauncher(slurm.SlurmLauncher):
    """Hydra takes plugins from its own namespace only."""
