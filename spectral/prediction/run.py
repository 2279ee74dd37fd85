"""`spectral.predict`, from the command to the file. Read `predict` from top to bottom."""

import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spectral.configs.commands import ESTIMATE, PredictConfig
from spectral.data.packing.shards import check_shards
from spectral.data.packing.workers import lean_tables
from spectral.errors import UserError
from spectral.files import space_errors
from spectral.inference.run_and_data import check_fits
from spectral.inference.wavelengths import check_same_pixels
from spectral.prediction.applied_run import AppliedRun
from spectral.prediction.columns import Columns
from spectral.prediction.deciding import Deciding, check_can_decide, given_shares, prepare_deciding
from spectral.prediction.finished import (
    check_all_classified,
    check_replaceable,
    finished_record,
    forget_record,
    print_record,
    write_record,
)
from spectral.prediction.join import join, probabilities_of
from spectral.prediction.make_parts import check_part, make_parts
from spectral.prediction.provenance import made_of, origin, plan_of
from spectral.prediction.shift import shifted_classes
from spectral.prediction.source import open_source
from spectral.prediction.validation import Validation
from spectral.prediction.work import Work
from spectral.terminal import Terminal

log = logging.getLogger(__name__)

Make = Callable[[PredictConfig, Work], None]


def predict(command: PredictConfig, kind: str, make: Make | None = None) -> None:
    """Classify the spectra of a command and write its file, or make the parts of a shard.

    Who finds all parts made writes the file. A file that is finished is not made again, and none is replaced, unless
    the command says overwrite=true.

    Args:
        kind: the file's format: csv, probabilities, contest, parquet or fits.
        make: makes the parts in other processes; None: they are made here.

    Raises:
        UserError: no such run, it has not ended, the data does not fit it, something asked for cannot be had, there is
            another file in the place of this one, or a bad spectrum although `on_bad` is "error".
    """
    out = Path(command.out)
    with lean_tables(), space_errors(out):
        prediction = _Prediction(command, kind)
        record = prediction.begin()
        if record is None:
            (make or prediction.make_parts)(command, prediction.work)
            record = prediction.join_if_whole()
    if record is not None:
        if command.on_bad == "error":
            check_all_classified(record, out)
        print_record(Terminal(), record, out)
    elif command.shard is not None:
        Terminal().print(f"shard {command.shard} of {command.shards} is done; others are not yet")
    else:
        raise UserError(f"parts of {out} are gone: another command has joined them; give this one again.")


class _Prediction:
    """The steps of a command, in the order in which `predict` calls them."""

    def __init__(self, command: PredictConfig, kind: str) -> None:
        """Open the run and the data, and see that they fit together; nothing is written."""
        self.command, self.kind, self.out = command, kind, Path(command.out)
        self.run = AppliedRun.open(Path(command.run), command.evaluate_shifts)
        command.device = self.run.check_device(command.device)
        self.run.check_precision(command.precision)
        given_shares(command.priors, self.run.class_names)
        check_can_decide(command, self.run)
        source = open_source(command.data, self.run.classifier, self.run.name, Path(command.cache_dir), self.out)
        self.blocks, self.tables, self.left_out = source.blocks, source.tables(), source.left_out
        check_fits(self.run.classifier, self.blocks, self.run.name)
        if self.run.classifier.build_inputs().needs_ivar and not self.blocks.has_ivar:
            raise UserError("inputs.channels needs inverse variances and the data has none: leave that channel out.")
        self.doubt = check_same_pixels(self.run.classifier, self.blocks, self.run.name)
        if self.doubt:
            log.warning(self.doubt)
        plan = plan_of(self.run, self.blocks, command)
        self.work, self.made_of = Work(self.out, plan), made_of(plan, command, kind)
        if command.priors != ESTIMATE:
            self.deciding()  # what cannot be had is said before the work

    def begin(self) -> dict[str, Any] | None:
        """The record of the file if it is finished; else None, and the catalog of the data is listed.

        With overwrite=true a finished file is forgotten last: until then a mistake may still be found. A shard that is
        given again, as a scheduler does, does not forget what all shards have finished.
        """
        with self.work.locked():
            is_shard = self.command.shard is not None
            keeps = not self.command.overwrite or (is_shard and not self.work.spectra.exists())
            record = finished_record(self.out, self.made_of) if keeps else None
            if record is not None:
                again = "delete it to make it again" if is_shard else "overwrite=true makes it again"
                log.info("%s is finished: %s.", self.out, again)
                self.work.remove()
                return record
            self._check_replaceable()
            is_begun = self.work.spectra.exists()
            self.work.list_spectra(self.tables)
            try:
                self._check_listed()
            except UserError:
                if not is_begun:
                    self.work.remove()
                raise
            if self.command.overwrite:
                self.work.allow_replacing()
                forget_record(self.out)
        del self.tables  # it may hold the whole catalog
        return None

    def _check_listed(self) -> None:
        """Raise UserError if what is asked for does not fit the spectra that are listed. The lock is held."""
        if self.command.on_bad == "error":
            _check_parts(self.work)
        check_shards(self.command.shards, self.work.num_rows)
        self.columns = Columns(self.kind, self.command, self.work.schema(), self.run.class_names)

    def make_parts(self, command: PredictConfig, work: Work) -> None:
        make_parts(command, self.run, self.blocks, work)

    def join_if_whole(self) -> dict[str, Any] | None:
        """The record of the file, written now unless another process has done so; None if parts are missing."""
        with self.work.locked():
            record = finished_record(self.out, self.made_of)
            if record is not None:
                self.work.remove()  # parts that were made here while another process joined its own
                return record
            self._check_replaceable()
            if self.work.is_whole():
                deciding, about = self.deciding(), origin(self.run, self.work.plan)
                found = join(self.work, self.kind, self.columns, deciding, about)
                found |= {"repeated_id": self.work.repeated_id()}
                notes = [*_notes(self.command, found, self.run.validation), self._note_of_pack(), self.doubt]
                found |= {"left_out_of_pack": dict(self.left_out)}
                found |= {"warnings": deciding.doubts, "sentences": deciding.sentences}
                found |= {"notes": [*filter(None, notes)], "origin": about}
                record = write_record(self.out, self.made_of, found | deciding.report)
                self.work.remove()
        return record

    def _note_of_pack(self) -> str:
        """What packing left out, which has no row here; empty if nothing."""
        if not self.left_out:
            return ""
        num, reasons = sum(self.left_out.values()), ", ".join(f"{n:,} {why}" for why, n in self.left_out.items())
        return (
            f"The pack left out {num:,} of {num + self.work.num_rows:,} spectra: {reasons}. They have no row; "
            "skipped.parquet in the pack lists them."
        )

    def _check_replaceable(self) -> None:
        """Raise UserError if the file is there and nobody has said that it may be replaced. The lock is held."""
        if not self.command.overwrite and not self.work.may_replace():
            check_replaceable(self.out, self.made_of)

    def deciding(self) -> Deciding:
        """How classes are decided on; an estimate of class shares needs all parts."""
        return prepare_deciding(self.command, self.run, partial(probabilities_of, self.work))


def _check_parts(work: Work) -> None:
    """Raise UserError for an id that two spectra have, or a bad spectrum in a part that is made. The lock is held."""
    if (repeated := work.repeated_id()) is not None:
        raise UserError(f"The id {repeated} is in the data more than once; on_bad=skip keeps a row for each.")
    for span in filter(work.is_done, work.spans):
        check_part(work, span, work.read(span))


def _notes(command: PredictConfig, found: dict[str, Any], validation: Validation | None) -> list[str]:
    """What the user must know of the file as a whole."""
    notes = []
    if (repeated := found["repeated_id"]) is not None:
        notes.append(
            f"The id {repeated}, and perhaps others, is in the data more than once: the file has a row for each."
        )
    if validation is not None and command.priors is None:
        names = [*found["num_by_class"]]
        counts = Counter(validation.decided.tolist())
        there = np.array([counts[k] for k in range(len(names))])
        if shifted := shifted_classes(np.array([*found["num_by_class"].values()]), there, names):
            notes.append(
                f"Predicted classes have other shares than on the run's validation: {'; '.join(shifted)}. If the "
                "classes themselves have, priors=estimate or priors={...} takes them into account."
            )
    return notes
