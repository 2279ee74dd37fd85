"""Where spectra come from: the options that all readers share, and the registry of readers."""

import dataclasses
import inspect
import itertools
import math
from dataclasses import dataclass, field
from typing import Any, Optional

from spectral.configs.baseline import BaselineConfig
from spectral.configs.fields import choice, must_exist, number
from spectral.configs.registry import Registry
from spectral.errors import UserError

MOST_PIXELS = 200_000


@dataclass
class GridConfig:
    """The wavelengths that all spectra are resampled to; `native`: none, pixels stay the source's."""

    kind: str = choice("native", "native", "log", "linear", "listed")  # native: the pixels of the source
    start_angstrom: float = number(3700.0, above=0)  # the first pixel's centre is there (linear), or next after (log)
    stop_angstrom: float = number(9100.0, above=0)  # the last pixel's centre is at most there
    step: float = number(1e-4, above=0)  # in Angstrom (linear), or in log10 of Angstrom (log)
    wave_angstrom: Optional[list[float]] = None  # each pixel's centre, rising or falling (listed)

    def check(self, key: str) -> None:
        """Raises UserError if the grid would have fewer than two pixels, or too many, or they neither rise nor fall."""
        if (self.kind == "listed") != (self.wave_angstrom is not None):
            raise UserError(f"{key}.wave_angstrom and {key}.kind=listed need each other: give both or neither.")
        if self.kind == "native":
            return
        if self.wave_angstrom is not None:
            _check_pixels(self.wave_angstrom, f"{key}.wave_angstrom")
            return
        start, stop = self.start_angstrom, self.stop_angstrom
        length = (math.log10(stop / start) if self.kind == "log" else stop - start) / self.step
        if stop <= start:
            raise UserError(f"{key}.stop_angstrom={stop:g} must be above {key}.start_angstrom={start:g}.")
        if not 1 <= length < MOST_PIXELS:
            unit = "log10 of Angstrom" if self.kind == "log" else "Angstrom"
            raise UserError(
                f"{key}.step={self.step:g} makes {length + 1:,.0f} pixels of {start:g} to {stop:g}: it is in {unit}, "
                f"and 2 to {MOST_PIXELS:,} are allowed."
            )


def _check_pixels(wave: list[float], key: str) -> None:
    if not 2 <= len(wave) <= MOST_PIXELS:
        raise UserError(f"{key} has {len(wave):,} numbers: 2 to {MOST_PIXELS:,} are allowed.")
    rising = wave if wave[0] < wave[-1] else wave[::-1]
    if not 0 < rising[0] < rising[-1] < math.inf or any(not a < b for a, b in itertools.pairwise(rising)):
        raise UserError(f"{key} must rise or fall from pixel to pixel, and be above 0.")


@dataclass
class DataConfig:
    """Options of packing, common to all readers; a reader's config inherits them and adds its own."""

    name: str = ""
    dtype: str = choice("float32", "float32", "float16")  # of the packed flux
    class_names: Optional[list[str]] = None  # in the order of their indices; null: found from the labels
    on_bad: str = choice("error", "error", "skip")  # a row that cannot be read, or has the wrong length or channels
    nan: str = choice("error", "error", "mask", "skip")  # flux that is not finite; mask: flux 0 and a bad pixel
    ivar_masks: bool = True  # whether inverse variance of 0 or less, or none, marks a bad pixel
    ragged: str = choice("error", "error", "pad")  # lengths that differ; pad: flux 0 and bad pixels up to the longest
    grid: GridConfig = field(default_factory=GridConfig)  # the wavelengths that all spectra are resampled to
    baseline: BaselineConfig = field(default_factory=BaselineConfig)  # what is taken off each spectrum
    limit: Optional[int] = number(None, at_least=1)  # spectra to use, to try a large survey quickly; null: all
    limit_draw: str = choice("stratified", "stratified", "first")  # each class in proportion; or the first rows
    num_workers: Optional[int] = number(None, at_least=1)  # processes that pack; null: one per core; 1: this one alone
    rows_per_part: int = number(512, at_least=1)  # spectra that a packing process holds at a time

    def check(self, key: str) -> None:
        """Raises UserError if the fields do not fit together. A reader's own check calls this one."""
        self.grid.check(f"{key}.grid")


class ReaderRegistry(Registry):
    """Builders receive the fields of their reader's own config, and of the common ones those that they name."""

    def build(self, config: Any, **context: Any) -> Any:
        builder = self.entry(config.name).load()
        named = inspect.signature(builder).parameters
        common = {f.name for f in dataclasses.fields(DataConfig)}
        options = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
        arguments = {key: value for key, value in options.items() if key in named or key not in common}
        return builder(**arguments, **{key: value for key, value in context.items() if key in named})


readers = ReaderRegistry("data")


@readers.register("spectral.data.packing.packed:open_packed")
@dataclass
class PackedConfig:
    """A survey packed ahead of time; its packing options were chosen then."""

    name: str = "packed"
    folder: str = must_exist("", "folder")  # what spectral.pack wrote
