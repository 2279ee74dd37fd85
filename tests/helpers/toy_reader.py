"""A survey made of its row numbers, with faults that a test chooses; importable by packing processes."""

import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from spectral.configs.data import DataConfig
from spectral.data.packing.pack import pack
from spectral.data.readers.contract import Chunk
from spectral.errors import UserError
from spectral.survey import Survey


def toy_flux(row: int, num_channels: int, length: int) -> np.ndarray:
    return (np.arange(num_channels * length, dtype=np.float32).reshape(num_channels, length) + row) / 7


@dataclass
class ToyReader:
    num: int = 40
    length: int = 12
    num_channels: int = 1
    lengths: dict[int, int] = field(default_factory=dict)  # row -> its own length
    not_finite: dict[int, float] = field(default_factory=dict)  # row -> value of pixel 3
    unreadable: dict[int, str] = field(default_factory=dict)  # row -> reason
    bad_pixels: dict[int, int] = field(default_factory=dict)  # row -> pixel that the source masks
    with_ivar: bool = False
    wave: int | None = None  # pixels of a wavelength grid
    scale: float = 1.0
    labels: tuple[str | None, ...] = ("star", "galaxy", "star", None)  # repeated
    version: str = "1"
    read_log: str | None = None  # file to which each read adds process and rows
    gate: str | None = None  # reading waits at gate_row until this file exists
    gate_row: int = 1

    def catalog(self) -> pd.DataFrame:
        rows = range(self.num)
        labels = [self.labels[row % len(self.labels)] for row in rows]
        return pd.DataFrame({"id": [f"s{row}" for row in rows], "label": labels, "snr": [row / 2 for row in rows]})

    def wave_angstrom(self) -> np.ndarray | None:
        return None if self.wave is None else np.linspace(4000.0, 7000.0, self.wave)

    def fingerprint(self) -> str:
        return hashlib.sha256(f"{self.num} {self.version}".encode()).hexdigest()

    def settings(self) -> dict[str, object]:
        return {"toy": True}

    def flux(self, row: int) -> np.ndarray:
        flux = self.scale * toy_flux(row, self.num_channels, self.lengths.get(row, self.length))
        if row in self.not_finite:
            flux[-1, 3] = self.not_finite[row]
        return flux.astype(np.float32)

    def read(self, rows: np.ndarray) -> Chunk:
        if self.read_log is not None and len(rows):
            with Path(self.read_log).open("a") as file:
                file.write(json.dumps({"pid": os.getpid(), "rows": rows.tolist()}) + "\n")
        while self.gate is not None and rows[0] >= self.gate_row and not Path(self.gate).exists():
            time.sleep(0.01)
        chunk = Chunk(flux=[None if row in self.unreadable else self.flux(row) for row in rows.tolist()])
        chunk.problems = {i: self.unreadable[row] for i, row in enumerate(rows.tolist()) if row in self.unreadable}
        shapes = [(self.num_channels, self.lengths.get(row, self.length)) for row in rows.tolist()]
        if self.with_ivar:
            chunk.ivar = [np.full(shape, 2.0, np.float32) for shape in shapes]
            for ivar in chunk.ivar:
                ivar[0, 0] = np.nan
        if self.bad_pixels:
            chunk.mask = [
                np.arange(shape[1]) == self.bad_pixels.get(row, -1) for row, shape in zip(rows, shapes, strict=True)
            ]
        return chunk


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of a pack's files, but for their times in survey.json."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    about = json.loads(files["survey.json"])
    for record in about["files"].values():
        del record["mtime_ns"]
    return files | {"survey.json": json.dumps(about).encode()}


def config(**options: object) -> DataConfig:
    return DataConfig(**{"name": "toy", "num_workers": 1, "rows_per_part": 7, **options})  # type: ignore[arg-type]  # options of several types


def packed(folder: Path, reader: ToyReader, **options: object) -> Survey:
    """The pack of a reader in a folder that tests look into."""
    return pack(reader, config(**options), folder / "pack", progress=False)


if __name__ == "__main__":  # a packing process for tests that stop it: python toy_reader.py FOLDER READER CONFIG
    import logging

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    folder, reader, options = sys.argv[1:4]
    if len(sys.argv) > 4:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
    try:
        pack(ToyReader(**json.loads(reader)), config(**json.loads(options)), folder)
    except UserError as error:
        sys.exit(str(error))
