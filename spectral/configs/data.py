"""Where spectra come from: the options that all readers share, and the registry of readers."""

import dataclasses
import inspect
from dataclasses import dataclass
from typing import Any, Optional

from spectral.configs.fields import choice, number
from spectral.configs.registry import Registry


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
    limit: Optional[int] = number(None, at_least=1)  # spectra to use, to try a large survey quickly; null: all
    limit_draw: str = choice("stratified", "stratified", "first")  # each class in proportion; or the first rows
    num_workers: Optional[int] = number(None, at_least=1)  # packing processes; null: one a core; 1: this process alone
    rows_per_part: int = number(512, at_least=1)  # spectra that a packing process holds at a time


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
    folder: str = ""
