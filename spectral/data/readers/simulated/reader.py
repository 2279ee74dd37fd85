"""The reader of the simulated survey. N rows, L = 2600 pixels."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.contract import Chunk, Flux
from spectral.data.readers.simulated.draws import SkyDraws
from spectral.data.readers.simulated.grid import WAVE
from spectral.data.readers.simulated.instrument import expose, read_out
from spectral.data.readers.simulated.unknown import NUM_COSMIC_RAYS, damage

VERSION = 1  # of the generator; raised when the same settings would give other spectra
GAP_SHARE, GAP_ANGSTROM = 0.05, (100.0, 350.0)
MEAN_COSMIC_RAYS = 2.0


class SimulatedReader:
    """Spectra made from formulas and line lists. Row i depends on the settings and on i, not on num_spectra.

    Args:
        num_spectra: rows of the survey.
        seed: of everything that is drawn.
        priors: shares of star, unknown, galaxy and qso; they sum to 1.
        snr_median, snr_scatter: of the lognormal signal-to-noise a pixel; scatter in ln(S/N).
    """

    reads_slowly = True

    def __init__(
        self, num_spectra: int, seed: int, priors: Sequence[float], snr_median: float, snr_scatter: float
    ) -> None:
        self.num_spectra = num_spectra
        self.survey = SkyDraws(seed, tuple(priors), snr_median, snr_scatter)

    def catalog(self) -> pd.DataFrame:
        """Columns id, label, group, snr, redshift (missing for unknown), subclass (kind of failure for unknown)."""
        return self.catalog_rows(range(self.num_spectra))

    def num_rows(self) -> int:
        return self.num_spectra

    def catalog_rows(self, rows: Iterable[int]) -> pd.DataFrame:
        """Those rows of the catalog, numbered from 0."""
        return pd.DataFrame([self._catalog_row(row) for row in rows])

    def _catalog_row(self, row: int) -> dict[str, object]:
        seen = self.survey.observation(row)
        source = self.survey.sky_object(seen.object_row)
        return {
            "id": f"sim-{row:08d}",
            "label": "unknown" if seen.unknown_kind else source.label,
            "group": f"object-{seen.object_row:08d}",
            "snr": seen.snr,
            "redshift": np.nan if seen.unknown_kind else source.redshift,
            "subclass": seen.unknown_kind or source.subclass,
        }

    def wave_angstrom(self) -> NDArray[np.float64]:
        return WAVE.copy()

    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps([VERSION, self.settings()]).encode()).hexdigest()

    def settings(self) -> Mapping[str, object]:
        survey = self.survey
        return {
            "name": "simulated",
            "num_spectra": self.num_spectra,
            "seed": survey.seed,
            "priors": list(survey.priors),
            "snr_median": survey.snr_median,
            "snr_scatter": survey.snr_scatter,
        }

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        spectra = [self._spectrum(int(row)) for row in rows]
        return Chunk(flux=[flux for flux, _ in spectra], ivar=[ivar for _, ivar in spectra])

    def _spectrum(self, row: int) -> tuple[Flux, Flux]:
        """Flux and inverse variance, [1, L] each."""
        seen = self.survey.observation(row)
        rng, kind = seen.rng, seen.unknown_kind
        light = self.survey.sky_object(seen.object_row).light()
        exposure = damage(rng, kind, expose(rng, light, seen.snr, seen.counts))
        num_hits = rng.integers(*NUM_COSMIC_RAYS) if kind == "cosmic_rays" else rng.poisson(MEAN_COSMIC_RAYS)
        gap = rng.uniform(*GAP_ANGSTROM) if rng.random() < GAP_SHARE else 0.0
        flux, ivar = read_out(rng, exposure, int(num_hits), gap)
        return flux[None], ivar[None]
