"""The survey part of real_input.py: one survey in two formats, packed and trained on in the same way."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

import spectral.configs.root  # noqa: F401  (registers the readers)
from helpers.product_runs import Results, Run, markdown_table, override, spread
from spectral.configs.data import readers
from spectral.data.packing.pack import open_or_pack
from spectral.survey import Survey

SPLIT = ("split=stratified", "split.validation=0.2", "split.test=0.2")
# The two stages of experiment=reference, shortened: 300 and 100 steps of 160 spectra in place of 25,000 each.
SCHEDULE = {"epochs": (6, 2), "steps": (50, 50)}
VARIANTS = {
    "reference, flux / 100": (),
    "reference, standardized": ("transform=standardize",),
    "resnet1d 16-32-32, standardized": ("transform=standardize", "model=resnet1d", "model.widths=[16,32,32]"),
}
Sources = Mapping[str, Mapping[str, Path]]


def sources(text: Path | None, npz: Path | None) -> Sources:
    """Readers of the formats given, and the files that each reads."""
    found: dict[str, Mapping[str, Path]] = {}
    if text:
        found["tianchi"] = {"index": text / "first_train_index.csv", "folder": text / "train"}
    if npz:
        found["arrays"] = {"path": npz}
    return found


def runs(sources: Sources, seeds: Sequence[int], epochs: int | None) -> list[Run]:
    """The first seed of everything, then the second."""
    return [
        Run((variant, reader), seed, (*_overrides(reader, files, epochs), *VARIANTS[variant], f"seed={seed}"))
        for seed in seeds
        for variant in VARIANTS
        for reader, files in _formats(variant, sources).items()
    ]


def _formats(variant: str, sources: Sources) -> Sources:
    """The first variant compares the formats; the others, which compare networks, take the last format alone."""
    return sources if variant == next(iter(VARIANTS)) else dict(list(sources.items())[-1:])


def _overrides(reader: str, files: Mapping[str, Path], epochs: int | None) -> list[str]:
    schedule = [
        f"schedule.stages.{i}.{key}={epochs if epochs and key == 'epochs' else value}"
        for key, values in SCHEDULE.items()
        for i, value in enumerate(values)
    ]
    paths = [override(f"data.{key}", path) for key, path in files.items()]
    return ["experiment=reference", *SPLIT, *schedule, f"data={reader}", *paths]


def pack(sources: Sources, results: Results) -> Table:
    """Pack each format for the runs; returns a table of packing times and of differences between the packs."""
    lines = markdown_table(
        "data=", "spectra", "packed in", "spectra/s", "flux differs from the first format's by at most"
    )
    first: Survey | None = None
    for reader, files in sources.items():
        config = readers.typed({"name": reader, **{key: str(path.resolve()) for key, path in files.items()}})
        started = time.perf_counter()
        survey = open_or_pack(readers.build(config), config, results.cache_dir, progress=False)
        key = f"packing-{reader}-{survey.fingerprint}"
        if key not in results.entries:
            results.add(key, round(time.perf_counter() - started, 2))
        pack_s = results.entries[key]
        first = first or survey
        lines.add_row(
            reader,
            f"{len(survey):,}",
            f"{pack_s:.1f} s",
            f"{len(survey) / pack_s:,.0f}",
            f"{_difference(survey, first):.0e}",
        )
    return lines


def _difference(survey: Survey, other: Survey) -> float:
    """The largest difference of flux, in units of the largest flux of its spectrum.

    Raises:
        ValueError: ids or labels differ.
    """
    columns = ["id", "label"]
    if not survey.catalog[columns].equals(other.catalog[columns]):
        raise ValueError("the two formats do not hold the same spectra in the same order")
    parts = [slice(i, i + 1000) for i in range(0, len(survey), 1000)]
    return max(_relative(survey.flux[part], other.flux[part]) for part in parts)


def _relative(flux: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.max(np.abs(flux - other).max(axis=2) / np.abs(other).max(axis=2)))


def table(runs: Sequence[Run], results: Results) -> Table:
    """One row per variant and format."""
    lines = markdown_table(
        "network and flux", "data=", "validation macro-F1", "test macro-F1", "test F1 of qso", "training"
    )
    for (variant, reader), done in results.by_group(runs).items():
        metrics = ("val/macro_f1", "test/macro_f1", "test/f1/qso")
        scores = [spread([result[metric] for result in done]) for metric in metrics]
        lines.add_row(variant, reader, *scores, f"{np.mean([result['time/train_s'] for result in done]):.0f} s")
    return lines
