"""The embedded survey of simulated spectra."""

from dataclasses import dataclass, field
from typing import Any, Optional

from spectral.configs.class_lists import in_class_order
from spectral.configs.data import DataConfig, readers
from spectral.configs.fields import number, numbers_by_class
from spectral.errors import UserError

CLASSES = ("star", "unknown", "galaxy", "qso")
"""What the survey simulates, in the order of its priors."""


@readers.register("spectral.data.readers.simulated.reader:SimulatedReader")
@dataclass
class SimulatedConfig(DataConfig):
    """Spectra of stars, galaxies and quasars made from formulas and line lists."""

    name: str = "simulated"
    class_names: Optional[list[str]] = field(default_factory=lambda: list(CLASSES))
    num_spectra: int = number(8000, at_least=1)  # a larger number keeps the earlier rows as they are
    seed: int = number(2018, at_least=0)  # of everything that is drawn
    priors: Any = numbers_by_class(
        [0.70, 0.12, 0.10, 0.08], sum_to_1=True, at_least=0, at_most=1
    )  # shares of the classes, by name or in the order of star, unknown, galaxy, qso
    snr_median: float = number(10.0, above=0)  # median signal-to-noise per pixel, except of faint unknowns
    snr_scatter: float = number(0.8, at_least=0)  # of ln(signal-to-noise)

    def check(self, key: str) -> None:
        """Bring the priors into the order of CLASSES, whatever the order of class_names."""
        super().check(key)
        if self.priors is None:
            raise UserError(f"{key}.priors=null is not allowed: it needs the priors of {', '.join(CLASSES)}.")
        self.priors = in_class_order(self, key, CLASSES, "the simulated survey").priors
