"""Registers `hydra/launcher=local`."""

from sweeps.launchers import config, local

config.register("local", config.LocalConfig)


class LocalLauncher(local.LocalLauncher):
    """Hydra takes plugins from its own namespace only."""
