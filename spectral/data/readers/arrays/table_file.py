"""What readers of one table share, whose pixels are columns: where it is, and the wavelengths that name its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectral.data.readers.arrays.options import ArrayOptions
from spectral.data.readers.arrays.wave_axis import Axis, any_newly_numbered
from spectral.data.readers.fingerprints import file_stamp, join_stamps


@dataclass(frozen=True)
class TableFile:
    """A table in one file. A subclass gives its `axis` and `pixel_names`."""

    path: Path
    key: str  # the config option that names the path
    options: ArrayOptions

    @property
    def source(self) -> str:
        return f"{self.key}={self.path}"

    @cached_property
    def axis(self) -> Axis | None:
        """The wavelengths that its columns are named by; None if they are not."""
        raise NotImplementedError  # a contract: each subclass knows where its columns are

    @property
    def pixel_names(self) -> Sequence[str]:
        """The columns that are pixels; empty if none is, or if they have no names."""
        raise NotImplementedError  # a contract: each subclass knows which of its columns are pixels

    @property
    def wave_unit(self) -> str | None:
        return None if self.axis is None else self.axis.unit

    @property
    def wave_medium(self) -> str | None:
        return None if self.axis is None else self.axis.medium

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        """Raises UserError if data.wave_unit is given and the columns are not named by wavelengths."""
        return None if self.axis is None else self.axis.wave_angstrom

    def fingerprint(self) -> str:
        # Of such pixels earlier versions left some out, or made no axis: what they packed is packed again.
        stamp = file_stamp(self.path)
        return join_stamps([stamp, "numbers"]) if any_newly_numbered(self.pixel_names) else stamp

    def settings(self) -> Mapping[str, object]:
        return {"path": str(self.path.resolve()), **self.options.settings()}
