"""The pictures of a run, once they are drawn. Light: it needs no matplotlib."""

from dataclasses import dataclass, field
from pathlib import Path

from spectral.table import Table


@dataclass
class Plots:
    """Pictures by name, and tables of what they show."""

    images: dict[str, Path] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
