"""A survey in two files: one to train on, one to test on."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.data.readers.columns import NUMBERED, nullable_integers
from spectral.data.readers.contract import Chunk, Flux, Reader
from spectral.data.readers.fingerprints import join_stamps
from spectral.errors import UserError

log = logging.getLogger(__name__)

Row = TypeVar("Row")


@dataclass
class TrainTestReader:
    """The rows of one reader, of split "train", and after them those of another, of split "test".

    An id is led by its split, since the two files may number their rows alike.
    """

    train: Reader
    test: Reader

    @cached_property
    def num_train(self) -> int:
        return len(self.train.catalog())

    def catalog(self) -> pd.DataFrame:
        parts = [self.train.catalog().assign(split="train"), self.test.catalog().assign(split="test")]
        self.num_train = len(parts[0])
        for part in parts:
            part["id"] = part["split"] + "-" + part["id"]
        self._check_ivar()
        self._warn_of_other_pixels()
        catalog = pd.concat(_alike([nullable_integers(part) for part in parts]), ignore_index=True)
        catalog.attrs[NUMBERED] = any(part.attrs.get(NUMBERED, False) for part in parts)
        return catalog

    def _check_ivar(self) -> None:
        """Errors are never made up: for a part without them, spectra would weigh nothing, or all."""
        has = [reader.read(np.array([0])).ivar is not None for reader in (self.train, self.test)]
        if has[0] != has[1]:
            with_, without = ("data.path", "data.test_path") if has[0] else ("data.test_path", "data.path")
            raise UserError(f"{with_} has ivar and {without} has none: save it in both files, or in neither.")

    def _warn_of_other_pixels(self) -> None:
        """Warn of columns that are called otherwise, or stand in another order: pixels are the same by their places.

        Names that are wavelengths are compared as such.
        """
        train, test = (getattr(reader, "pixel_names", ()) for reader in (self.train, self.test))
        other = next((pair for pair in zip(train, test, strict=False) if pair[0] != pair[1]), None)
        if other and self.wave_angstrom() is None:
            log.warning(
                "The pixels of data.path and data.test_path are taken for the same in the order of their columns, but "
                "are called otherwise: '%s' in one is '%s' in the other.",
                *other,
            )

    @property
    def wave_unit(self) -> str | None:
        unit: str | None = getattr(self.train, "wave_unit", None)
        return unit

    @property
    def wave_medium(self) -> str | None:
        medium: str | None = getattr(self.train, "wave_medium", None)
        return medium

    @property
    def wave_per_row(self) -> bool:
        """Raises UserError if spectra of one part alone have wavelengths of their own."""
        train, test = (bool(getattr(reader, "wave_per_row", False)) for reader in (self.train, self.test))
        if train != test:
            raise UserError("data.path and data.test_path must both have one grid, or both wavelengths per spectrum.")
        return train

    def wave_angstrom(self) -> NDArray[np.float64] | None:
        """Raises UserError if the two have different wavelengths."""
        train, test = self.train.wave_angstrom(), self.test.wave_angstrom()
        if train is None and test is None:
            return None
        if train is None or test is None or not np.array_equal(train, test):
            raise UserError("data.path and data.test_path have different wavelengths: both need the same grid.")
        return train

    def fingerprint(self) -> str:
        return join_stamps([self.train.fingerprint(), self.test.fingerprint()])

    def settings(self) -> Mapping[str, object]:
        return {"train": dict(self.train.settings()), "test": dict(self.test.settings())}

    def read(self, rows: NDArray[np.int64]) -> Chunk:
        is_train = rows < self.num_train
        parts = [self.train.read(rows[is_train]), self.test.read(rows[~is_train] - self.num_train)]
        # place[i] is where the i-th row asked for stands when the parts are laid end to end.
        place = np.argsort(np.concatenate([np.flatnonzero(is_train), np.flatnonzero(~is_train)]))
        flux = parts[0].flux + parts[1].flux
        problems = {**parts[0].problems, **{at + len(parts[0].flux): why for at, why in parts[1].problems.items()}}
        masks = _masks(parts)
        return Chunk(
            flux=[flux[at] for at in place],
            ivar=_laid(parts[0].ivar, parts[1].ivar, place),
            mask=_laid(masks[0], masks[1], place),
            wave_angstrom=_laid(parts[0].wave_angstrom, parts[1].wave_angstrom, place),
            problems={position: problems[at] for position, at in enumerate(place.tolist()) if at in problems},
        )


def _masks(parts: list[Chunk]) -> list[list[NDArray[np.bool_]] | None]:
    """Of two parts; if one alone has masks, all pixels of the other are good."""
    if all(part.mask is None for part in parts):
        return [None, None]
    return [part.mask if part.mask is not None else [_all_good(flux) for flux in part.flux] for part in parts]


def _all_good(flux: Flux | None) -> NDArray[np.bool_]:
    return np.zeros(0 if flux is None else flux.shape[-1], dtype=bool)


def _alike(parts: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Columns that are numbers in one part and text in another are text in all: no file holds both in one column."""
    shared = set.intersection(*(set(part) for part in parts))
    mixed = [name for name in shared if len({_kind(part[name]) for part in parts}) > 1]
    return [part.astype(dict.fromkeys(mixed, "str")) for part in parts]


def _kind(column: pd.Series) -> str:
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        return "number"
    if pd.api.types.infer_dtype(column, skipna=True) == "boolean":
        return "truth"  # as objects, if some are missing
    return "object" if column.dtype == object else column.dtype.kind


def _laid(train: list[Row] | None, test: list[Row] | None, place: NDArray[np.int64]) -> list[Row] | None:
    if train is None or test is None:
        return None
    both = train + test
    return [both[at] for at in place]
