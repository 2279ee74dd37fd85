"""Files of the Multimodal Universe as its scripts write them, small."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
from pyarrow import parquet

LENGTH = 40
FIRST_ID = 299489676975171585
WAVE = (10 ** (3.58 + 1e-4 * np.arange(LENGTH))).astype(np.float32)


def spectra(num: int, length: int = LENGTH, seed: int = 0) -> dict[str, np.ndarray]:
    """Flux, ivar, lambda and mask [N, L]; the last spectrum is padded by five pixels, as SDSS's shorter ones are."""
    rng = np.random.default_rng(seed)
    parts = {
        "flux": rng.normal(5, 1, (num, length)).astype(np.float32),
        "ivar": rng.uniform(1, 2, (num, length)).astype(np.float32),
        "lambda": np.tile(WAVE[:length], (num, 1)),
        "mask": rng.random((num, length)) < 0.1,
    }
    parts["lambda"][-1, -5:], parts["ivar"][-1, -5:], parts["mask"][-1, -5:] = -1, 0, True
    return parts


def write_hdf5(path: Path, parts: Mapping[str, np.ndarray], **columns: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for part, values in parts.items():
            file[f"spectrum_{part}"] = values
        for name, values in columns.items():
            file[name] = values


def write_parquet(
    path: Path, parts: Mapping[str, np.ndarray], rows_per_group: int = 3, structs: bool = False, **columns: object
) -> None:
    """Structs of lists, or with `structs` lists of structs, as the two versions of the hub's library write them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if structs:
        rows = zip(*(values.tolist() for values in parts.values()), strict=True)
        spectrum = pa.array(
            [[dict(zip(parts, pixel, strict=True)) for pixel in zip(*row, strict=True)] for row in rows]
        )
    else:
        arrays = [pa.array(list(values)) if values.ndim > 1 else pa.array(values) for values in parts.values()]
        spectrum = pa.StructArray.from_arrays(arrays, names=list(parts))
    parquet.write_table(pa.table({"spectrum": spectrum, **columns}), path, row_group_size=rows_per_group)
