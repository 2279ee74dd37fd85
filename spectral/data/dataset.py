"""A survey and its splits, as one thing."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectral.configs.data import readers
from spectral.data.packing.pack import open_or_pack
from spectral.data.splits.split import assign_split
from spectral.errors import UserError
from spectral.inputs.batches import Rows
from spectral.survey import Survey

log = logging.getLogger(__name__)


@dataclass
class Splits:
    """Survey rows of each split, and the class index of every survey row (-1 where it has no label)."""

    train: Rows
    validation: Rows
    test: Rows
    labels: Rows


def open_survey(data: Any, cache_dir: Path) -> Survey:
    """The survey of a typed data config: packed already, or packed now."""
    source = readers.build(data)
    return source if isinstance(source, Survey) else open_or_pack(source, data, cache_dir)


def split_survey(survey: Survey, split: Any) -> tuple[Survey, Splits]:
    """The survey with its split, and the rows of each part.

    Raises:
        UserError: nothing to train on, or nothing to tell apart.
    """
    assert survey.folder is not None
    if "split" in survey.catalog and split.name != "given":
        log.warning("The data has a split of its own, which split=%s does not use: split=given does.", split.name)
    survey = survey.with_split(assign_split(survey.catalog, split, survey.folder))
    parts = Splits(survey.indices("train"), survey.indices("validation"), survey.indices("test"), survey.labels)
    if not len(parts.train):
        raise UserError(f"split={split.name} leaves no labelled spectrum to train on, of {len(survey)} in all.")
    if survey.num_classes < 2:
        raise UserError(f"The data has the one class '{survey.class_names[0]}': training needs two or more.")
    _log_dataset(survey, parts)
    return survey, parts


def _log_dataset(survey: Survey, parts: Splits) -> None:
    """Say what will be trained on, so that a column or a label read wrongly is seen at once."""
    shape = f"{survey.length} points" + (f" in {survey.num_channels} channels" if survey.num_channels > 1 else "")
    sizes = f"{len(parts.train)} training, {len(parts.validation)} validation, {len(parts.test)} test"
    log.info("%d spectra of %s; classes %s; %s.", len(survey), shape, ", ".join(survey.class_names), sizes)
    num_unlabelled = int((parts.labels < 0).sum())
    if num_unlabelled:
        log.warning("%d spectra have no label and belong to no split.", num_unlabelled)
    labels = [parts.labels[rows] for rows in (parts.train, parts.validation, parts.test)]
    for part, found in zip(("training", "validation", "test"), labels, strict=True):
        missing = sorted(set(range(survey.num_classes)) - set(found.tolist()))
        if len(found) and missing:
            log.warning(
                "The %s part has no spectrum of class '%s': its F1 there says nothing.",
                part,
                survey.class_names[missing[0]],
            )


def data_digest(survey: Survey, splits: Splits) -> str:
    """A digest of the spectra and of which of them train, validate and test."""
    digest = hashlib.blake2b(survey.fingerprint.encode(), digest_size=16)
    for rows in (splits.train, splits.validation, splits.test):
        digest.update(f"{len(rows)} ".encode() + rows.tobytes())
    return digest.hexdigest()
