"""The embedded survey of simulated spectra."""

from dataclasses import dataclass, field
from typing import Optional

from spectral.configs.data import DataConfig, readers
from spectral.configs.fields import number, numbers
from spectral.errors import UserError


@readers.register("spectral.data.readers.simulated.reader:SimulatedReader")
@dataclass
class SimulatedConfig(DataConfig):
    """Spectra of stars, galaxies and quasars made from formulas and line lists."""

    name: str = "simulated"
    class_names: Optional[list[str]] = field(default_factory=lambda: ["star", "unknown", "galaxy", "qso"])
    num_spectra: int = number(8000, at_least=1)
    seed: int = number(2018, at_least=0)
    priors: list[float] = numbers([0.70, 0.12, 0.10, 0.08], min_items=4, at_least=0, at_most=1)  # as class_names
    snr_median: float = number(10.0, above=0)  # signal-to-noise a pixel, of all but the faint unknown
    snr_scatter: float = number(0.8, at_least=0)  # of ln(signal-to-noise)

    def check(self, key: str) -> None:
        if len(self.priors) != 4 or abs(sum(self.priors) - 1) > 1e-6:
            raise UserError(
                f"{key}.priors={self.priors} is not allowed: "
                "it needs the shares of star, unknown, galaxy and qso, which sum to 1."
            )
