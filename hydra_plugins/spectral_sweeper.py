"""Registers `hydra/sweeper=spectral`."""

from sweeps import config as _config  # noqa: F401  (registers itself)
from sweeps import sweeper


class SpectralSweeper(sweeper.SpectralSweeper):
    """Hydra takes plugins from its own namespace only."""


sweeper.register()
