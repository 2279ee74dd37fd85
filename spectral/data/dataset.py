"""A survey and which of its spectra train, validate and test, as one thing. N spectra, K classes."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectral.configs.data import PackedConfig
from spectral.data.packing.open import open_survey
from spectral.data.readers.columns import USUAL_NAMES, shortened
from spectral.data.splits.objects import num_groups, warn_of_repeats, warn_of_torn_objects
from spectral.data.splits.rare import RareClassError, settled
from spectral.data.splits.split import assign_split
from spectral.data.splits.unlabelled import assign_without_labels
from spectral.errors import UserError
from spectral.inputs.batches import Rows
from spectral.survey import Survey

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A survey with its splits.

    Args:
        train, validation, test: survey rows of each split, in ascending order.
    """

    survey: Survey
    train: Rows
    validation: Rows
    test: Rows

    @classmethod
    def open(cls, data: Any, split: Any, cache_dir: Path) -> "Dataset":
        """The survey of a typed data config, packed now if it is not yet, and split as a typed split config says.

        What the survey holds is logged.

        Raises:
            UserError: the data cannot be read, nothing is left to train on, or it has one class alone.
        """
        return cls.divided(open_survey(data, cache_dir), data, split)

    @classmethod
    def divided(cls, survey: Survey, data: Any, split: Any) -> "Dataset":
        """As `open`, of the open survey of a typed data config.

        Raises:
            UserError: nothing is left to train on, or it has one class alone.
        """
        dataset = cls.of(survey.with_split(_assigned(survey, data, split)))
        if not len(dataset.train):
            left = f"split={split.name} leaves no labelled spectrum to train on, of {len(survey)} in all"
            raise UserError(no_labels(survey, data, left))
        _check_classes(survey)
        _log_dataset(dataset)
        warn_of_torn_objects(dataset.survey.catalog, split.name)
        warn_of_repeats(dataset.survey.catalog)
        return dataset

    @classmethod
    def without_labels(cls, data: Any, split: Any, cache_dir: Path) -> "Dataset":
        """As `open`, for a training that needs no labels: spectra without one train too.

        Raises:
            UserError: the data cannot be read, or nothing is left to train on.
        """
        survey = open_survey(data, cache_dir)
        dataset = cls.of(survey.with_split(_assigned(survey, data, split, assign_without_labels)))
        if not len(dataset.train):
            raise UserError(f"split={split.name} leaves no spectrum to train on, of {len(survey)} in all.")
        sizes, num_unlabelled = (len(dataset.train), len(dataset.validation)), int((dataset.labels < 0).sum())
        log.info(
            "%d spectra, %d of them without a label: %d training, %d validation.", len(survey), num_unlabelled, *sizes
        )
        warn_of_torn_objects(dataset.survey.catalog, split.name)
        return dataset

    @classmethod
    def of(cls, survey: Survey) -> "Dataset":
        """A survey whose catalog has a column `split`."""
        return cls(survey, survey.indices("train"), survey.indices("validation"), survey.indices("test"))

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.survey.class_names

    @property
    def num_classes(self) -> int:
        return self.survey.num_classes

    @cached_property
    def labels(self) -> Rows:
        """Class index of every survey row [N], -1 if it has no label."""
        return self.survey.labels

    @cached_property
    def ids(self) -> NDArray[Any]:
        """The id of every survey row [N]."""
        ids: NDArray[Any] = self.survey.catalog["id"].to_numpy()
        return ids

    def groups_of(self, rows: Rows) -> "pd.Series[Any] | None":
        """The object of each of some spectra, missing if it is the only one; None if the survey names no groups."""
        return self.survey.catalog["group"].iloc[rows] if "group" in self.survey.catalog else None

    @cached_property
    def class_priors(self) -> NDArray[np.float64]:
        """The share of each class in the training split [K]."""
        counts = np.bincount(self.labels[self.train], minlength=self.num_classes)
        priors: NDArray[np.float64] = counts / counts.sum()
        return priors

    @cached_property
    def digest(self) -> str:
        """A digest of the spectra and of which of them train, validate and test."""
        return self._digest_under(self.survey.fingerprint)

    @cached_property
    def former_digest(self) -> str | None:
        """The digest that versions before the survey's fingerprint saw its wavelengths had of the same; None: none."""
        former = self.survey.former_fingerprint
        return None if former is None else self._digest_under(former)

    def _digest_under(self, fingerprint: str) -> str:
        digest = hashlib.blake2b(fingerprint.encode(), digest_size=16)
        for rows in (self.train, self.validation, self.test):
            digest.update(f"{len(rows)} ".encode() + rows.tobytes())
        return digest.hexdigest()


def _assigned(
    survey: Survey, data: Any, split: Any, assign: Callable[..., "pd.Series[Any]"] = assign_split
) -> "pd.Series[Any]":
    if "split" in survey.catalog and split.name != "given":
        log.warning("The data has a split of its own, which split=%s does not use: split=given does.", split.name)
    try:
        return assign(survey.catalog, split, survey.folder)
    except RareClassError as error:
        found = np.unique(survey.labels[survey.labels >= 0])
        raise settled(error, data, [survey.class_names[k] for k in found]) from error


def _check_classes(survey: Survey) -> None:
    """Raises UserError if fewer than two classes have labels. Where the survey has none, `no_labels` says it."""
    found = np.unique(survey.labels[survey.labels >= 0])
    if len(found) < 2:
        names = ", ".join(survey.class_names)
        of_all = f" of {names}" if survey.num_classes > 1 else ""
        raise UserError(
            f"The data has the one class '{survey.class_names[found[0]]}'{of_all}: training needs two or more."
        )


def no_labels(survey: Survey, data: Any, sentence: str) -> str:
    """A sentence, without its full stop, on spectra without labels, ended by what names the column if none has any.

    Args:
        data: its typed config; None: that of a run.
    """
    if survey.catalog["label"].notna().any():
        return f"{sentence}."
    usual = ", ".join(USUAL_NAMES["label"])
    there = [name for name in survey.catalog.columns if name not in ("label", "class_index", "length")]
    way = "packing it again with data.label_key" if isinstance(data, PackedConfig) else "data.label_key"
    return f"{sentence}: no column called {usual} has labels, {way} names another; the data has {shortened(there)}."


def _log_dataset(dataset: Dataset) -> None:
    """Log what the run trains on, so that a column or a label read wrongly is seen at once."""
    survey, sizes = dataset.survey, (len(dataset.train), len(dataset.validation), len(dataset.test))
    shape = f"{survey.length} points" + (f" in {survey.num_channels} channels" if survey.num_channels > 1 else "")
    groups = num_groups(survey.catalog)
    shape += f", of {groups} groups" if groups is not None and groups < len(survey) else ""
    parts = "{} training, {} validation, {} test".format(*sizes)
    log.info("%d spectra of %s; classes %s; %s.", len(survey), shape, ", ".join(survey.class_names), parts)
    num_unlabelled = int((dataset.labels < 0).sum())
    if num_unlabelled:
        log.warning("%d spectra have no label and belong to no split.", num_unlabelled)
    for name, rows in (("training", dataset.train), ("validation", dataset.validation), ("test", dataset.test)):
        missing = sorted(set(range(survey.num_classes)) - set(dataset.labels[rows].tolist()))
        if len(rows) and missing:
            names = ", ".join(f"'{survey.class_names[k]}'" for k in missing)
            which, whose = ("class", "its") if len(missing) == 1 else ("classes", "their")
            log.warning("The %s part has no spectrum of %s %s: %s F1 there says nothing.", name, which, names, whose)
