"""Registers `hydra/launcher=ray`; what it needs is imported when it is used."""

from sweeps.launchers import config, ray

config.register("ray", config.RayConfig)


class RayLauncher(ray.RayLauncher):
    """Hydra takes plugins from its own namespace only."""
