"""A reader that gives fewer elements than rows: all that follow would be taken for their neighbours."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_reader import ToyReader, config, packed

from spectral.configs.baseline import BaselineConfig
from spectral.configs.data import GridConfig
from spectral.data.packing.probe import probed
from spectral.data.readers.contract import Chunk

NOT_PROBED = 5  # of 200 rows, 64 of which are looked at before packing


@dataclass
class ShortReader(ToyReader):
    num: int = 200
    wave: int | None = 12
    short: str = "flux"  # what has no element for the row `left_out`
    left_out: int = NOT_PROBED

    def read(self, rows: np.ndarray) -> Chunk:
        chunk = super().read(rows)
        kept = [position for position, row in enumerate(rows) if row != self.left_out]
        setattr(chunk, self.short, [getattr(chunk, self.short)[position] for position in kept])
        return chunk


@pytest.mark.parametrize("options", [{}, {"with_ivar": True, "short": "ivar"}, {"bad_pixels": {3: 1}, "short": "mask"}])
@pytest.mark.parametrize(
    "changed", [{}, {"grid": GridConfig("linear", 4100.0, 6900.0, 200.0)}, {"baseline": BaselineConfig("snip")}]
)
def test_a_reader_with_too_few_elements_is_refused(
    tmp_path: Path, options: dict[str, Any], changed: dict[str, Any]
) -> None:
    name = options.get("short", "flux")
    with pytest.raises(ValueError, match=rf"ShortReader\.read gives 6 elements of {name} for 7 rows: it must give"):
        packed(tmp_path, ShortReader(**options), **changed)


def test_it_is_refused_at_the_first_look() -> None:
    with pytest.raises(ValueError, match=r"ShortReader\.read gives 63 elements of flux for 64 rows"):
        probed(ShortReader(left_out=3), config(), 200)
