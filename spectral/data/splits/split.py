"""Which spectra train, which validate, which test.

Splits never part spectra of one object (the catalog's `group`), are saved in the pack, and stay as they are when
spectra are appended: only new ones are divided, so that the whole keeps its proportions.
"""

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.configs.split import splits
from spectral.data.readers.columns import SHORT_ID
from spectral.data.splits.partition import Partition, RareStratumError, TornUnitError
from spectral.data.splits.rare import rare_class
from spectral.data.splits.saved import Parts, completed, nothing_saved
from spectral.errors import UserError, nearest

SPLITS = ("train", "validation", "test")


class Split(ABC):
    """A way to split.

    Attributes:
        seed: of the division.
        stratified: whether each class is divided by itself, and must be in every part.
    """

    seed: int
    stratified = True

    @abstractmethod
    def shares(self) -> dict[str, float]:
        """Share of each part, of sum 1; parts of share 0 left out."""

    def roles(self, parts: Parts) -> Parts:
        """Parts to train, validation and test."""
        return parts

    def source_parts(self, catalog: pd.DataFrame) -> Parts | None:
        """The parts that the source has chosen itself, missing if it leaves the choice; None: it leaves it all."""
        return None


class StratifiedSplit(Split):
    """validation, test: shares; training takes the rest."""

    def __init__(self, validation: float, test: float, seed: int) -> None:
        self.validation, self.test, self.seed = validation, test, seed

    def shares(self) -> dict[str, float]:
        return _positive(train=1 - self.validation - self.test, validation=self.validation, test=self.test)


class RandomSplit(StratifiedSplit):
    """As stratified, whatever the classes."""

    stratified = False


class KFoldSplit(Split):
    """One division into a test part and folds serves all values of `fold`, the fold that validates.

    A repeat divides what is not in the test part again: folds num_folds to 2 num_folds - 1 are those of the first.
    """

    def __init__(self, num_folds: int, fold: int, test: float, seed: int, num_repeats: int = 1) -> None:
        self.repeat, self.fold = divmod(fold, num_folds)
        self.num_folds, self.test, self.seed = num_folds, test, seed

    def again(self) -> "KFoldSplit":
        """The division of the repeat, of spectra outside the test part."""
        seed = int(np.random.SeedSequence([self.seed, self.repeat]).generate_state(1)[0])
        return KFoldSplit(self.num_folds, self.fold, 0.0, seed)

    def shares(self) -> dict[str, float]:
        folds = {f"fold {fold}": (1 - self.test) / self.num_folds for fold in range(self.num_folds)}
        return folds | _positive(test=self.test)

    def roles(self, parts: Parts) -> Parts:
        validation, test = parts == f"fold {self.fold}", parts == "test"
        return parts.mask(~test, "train").mask(validation, "validation")


class GivenSplit(Split):
    """validation: share of the source's training part, unless the source has a validation part."""

    def __init__(self, validation: float, seed: int) -> None:
        self.validation, self.seed = validation, seed

    def shares(self) -> dict[str, float]:
        return _positive(train=1 - self.validation, validation=self.validation)

    def source_parts(self, catalog: pd.DataFrame) -> Parts:
        if "split" not in catalog:
            raise UserError("split=given needs a split column in the catalog: split=stratified makes a split.")
        parts = catalog["split"].astype("str")
        parts = parts.mask(parts == "")
        for name in parts.dropna().unique():
            if name not in SPLITS:
                raise UserError(f"The catalog's split '{name}' is not known: {nearest(name, SPLITS)}.")
        open_ = parts == "train"
        if not open_.any():
            raise UserError("split=given finds no spectrum of the split 'train' in the catalog.")
        if (parts == "validation").any() or self.validation == 0:
            return parts.fillna("")
        return parts.fillna("").mask(open_)


def assign_split(catalog: pd.DataFrame, config: Any, folder: Path | str | None) -> pd.Series:
    """The split of each spectrum.

    Args:
        catalog: columns id and label, and group, split and short_id where there are such.
        config: a typed config of the split registry.
        folder: of the pack, where the split is saved; None: it is not.

    Returns:
        "train", "validation", "test", or "" where the label is missing (or the source has left the spectrum out), in
        the catalog's order.

    Raises:
        UserError: a class has too few spectra for the split, or the catalog does not have what the split needs.
    """
    split: Split = splits.build(config)
    labelled = catalog[catalog["label"].notna()]
    chosen = split.source_parts(labelled)
    free = labelled if chosen is None else labelled[chosen.isna()]
    result = pd.Series("", index=catalog.index, name="split", dtype="str")
    if chosen is not None:
        result.loc[labelled.index] = chosen.fillna("")
    if len(free):
        result.loc[free.index] = split.roles(_parts(free, split, config, folder)).to_numpy()
    return result


def _parts(catalog: pd.DataFrame, split: Split, config: Any, folder: Path | str | None) -> Parts:
    """The part of each spectrum of a catalog, in its order."""
    parts = _saved_or_divided(catalog, split, config, folder, "")
    if not isinstance(split, KFoldSplit) or not split.repeat:
        return parts
    rest = catalog[(parts != "test").to_numpy()]
    again = _saved_or_divided(rest, split.again(), config, folder, f"-repeat{split.repeat}")
    parts.loc[again.index] = again
    return parts


def _saved_or_divided(
    catalog: pd.DataFrame, split: Split, config: Any, folder: Path | str | None, suffix: str
) -> Parts:
    """What is saved of a division; for new spectra what is assigned now, which is then saved.

    Args:
        suffix: of the name that it is saved under.
    """

    def complete(saved: Parts) -> Parts:
        parts = _divided(catalog.sort_values("id"), split, config, saved)
        gone = saved[~saved.index.isin(parts.index)]
        together: Parts = pd.concat([gone, parts])
        return together

    # Folds are one division, whichever of them validates.
    options = {key: value for key, value in dataclasses.asdict(config).items() if key not in ("fold", "num_repeats")}
    name = f"{config.name}-{hashlib.blake2b(json.dumps(options).encode(), digest_size=4).hexdigest()}{suffix}"
    parts = complete(nothing_saved()) if folder is None else completed(Path(folder), name, options, complete)
    in_order: Parts = parts.reindex(catalog["id"])
    return in_order


def _divided(catalog: pd.DataFrame, split: Split, config: Any, saved: Parts) -> Parts:
    """The part of each spectrum, by id, given what is saved of them."""
    shares = split.shares()
    names = list(shares)
    units = _units(catalog)
    known = _known(catalog, units, saved, names)
    strata, classes = pd.factorize(catalog["label"], sort=True)
    division = Partition(units, strata if split.stratified else np.zeros_like(units), np.array([*shares.values()]))
    rng = np.random.default_rng([split.seed, int((known >= 0).sum())])
    try:
        codes = division.complete(known, rng, drawn=split.seed != 0)  # with 0 as before, when no order was drawn
    except RareStratumError as error:
        class_name = str(classes[error.stratum]) if split.stratified else None
        raise rare_class(class_name, error.num_units, "group" in catalog, names, config) from error
    except TornUnitError as error:
        group = catalog["group"].to_numpy()[units == error.unit][0]
        raise UserError(
            f"Spectra of group {group} are in several parts of the saved split, made before they were a group: another "
            "split.seed makes a new one."
        ) from error
    return pd.Series(np.array(names, dtype=object)[codes], index=pd.Index(catalog["id"], name="id"), dtype="str")


def _known(catalog: pd.DataFrame, units: NDArray[np.int64], saved: Parts, names: list[str]) -> NDArray[np.int64]:
    """The number of the part that each spectrum is in already, -1 if it is in none.

    An object none of whose spectra is known by its id is where it was under its short id: its survey has grown, and ids
    with it.
    """
    known = _codes(saved, catalog["id"], names)
    if SHORT_ID in catalog:
        before = _codes(saved, catalog[SHORT_ID], names)
        rows = np.flatnonzero((before >= 0) & ~np.isin(units, units[known >= 0]))
        _, first = np.unique(units[rows], return_index=True)  # others of the object follow
        known[rows[first]] = before[rows[first]]
    return known


def _codes(saved: Parts, ids: pd.Series, names: list[str]) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = pd.Categorical(saved.reindex(ids), categories=names).codes.astype(np.int64)
    return codes


def _units(catalog: pd.DataFrame) -> NDArray[np.int64]:
    """A number for each object: that of its group, or one of its own."""
    if "group" not in catalog:
        return np.arange(len(catalog))
    units = pd.factorize(catalog["group"])[0].astype(np.int64)
    alone = units < 0
    units[alone] = units.max(initial=-1) + 1 + np.arange(alone.sum())
    return units


def _positive(**shares: float) -> dict[str, float]:
    return {name: share for name, share in shares.items() if share > 0}
