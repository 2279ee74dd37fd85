"""`spectral.predict`, from the command to the file. Read `predict` from top to bottom."""

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from spectral.configs.commands import ESTIMATE, PredictConfig
from spectral.data.packing.workers import lean_tables
from spectral.errors import UserError
from spectral.files import space_errors
from spectral.inference.classifier import Classifier
from spectral.inference.run_and_data import check_fits
from spectral.inference.wavelengths import check_same_pixels
from spectral.prediction.columns import Columns
from spectral.prediction.deciding import Deciding, check_can_decide, given_shares, prepare_deciding
from spectral.prediction.finished import finished_record, forget_record, print_record, write_record
from spectral.prediction.join import join, probabilities_of
from spectral.prediction.make_parts import make_parts
from spectral.prediction.provenance import made_of, origin, plan_of
from spectral.prediction.shift import shifted_classes
from spectral.prediction.source import open_source
from spectral.prediction.validation import Validation
from spectral.prediction.work import Work
from spectral.runs.folder import RunFolder
from spectral.terminal import Terminal

log = logging.getLogger(__name__)


Make = Callable[[PredictConfig, Work], None]


def predict(command: PredictConfig, kind: str, make: Make | None = None) -> None:
    """Classify the spectra of a command and write its file, or make the parts of a shard.

    Who finds all parts made writes the file. A file that is finished is not made again.

    Args:
        kind: the file's format: csv, probabilities, contest, parquet or fits.
        make: makes the parts in other processes; None: they are made here.

    Raises:
        UserError: no such run, it has not ended, the data does not fit it, or something asked for cannot be had.
    """
    out, folder = Path(command.out), RunFolder.existing(command.run)
    run = f"run={folder.path}"
    classifier = Classifier.load(folder)
    rule = classifier.build_decision()  # a run that has not ended has none
    network = classifier.load_network(folder)
    validation = Validation.of(folder, classifier.class_names)
    given_shares(command.priors, classifier.class_names)
    check_can_decide(command, rule, classifier.output_prior, validation)
    with lean_tables(), space_errors(out):
        source = open_source(command.data, classifier, run, Path(command.cache_dir))
        blocks, tables = source.blocks, source.tables()
        del source  # it may hold the whole catalog
        check_fits(classifier, blocks, run)
        doubt = check_same_pixels(classifier, blocks, run)
        if doubt:
            log.warning(doubt)
        plan = plan_of(folder, blocks, command.rows_per_part)
        made = made_of(plan, command, kind)
        work = Work(out, plan)
        if command.priors != ESTIMATE:
            _deciding(command, classifier, folder, validation, work)  # what cannot be had is said before the work
        with work.locked():
            if command.overwrite:
                forget_record(out)
            record = finished_record(out, made)
            if record is None:
                work.list_spectra(tables)
        del tables
        if record is None:
            columns = Columns(kind, command, work.schema(), classifier.class_names)
            _check_ids(work, command)
            if make is None:
                make_parts(command, classifier, network, blocks, work)
            else:
                make(command, work)
            with work.locked():
                record = finished_record(out, made)
                if record is None and work.is_whole():
                    deciding = _deciding(command, classifier, folder, validation, work)
                    about = origin(folder, plan)
                    found = join(work, kind, columns, deciding, about)
                    notes = [*_notes(work, command, found, validation), *deciding.doubts, doubt]
                    found |= {"sentences": deciding.sentences, "notes": [*filter(None, notes)], "origin": about}
                    record = write_record(out, made, found | deciding.report)
                    work.remove()
        else:
            log.info("%s is finished: overwrite=true makes it again.", out)
    if record is None:
        Terminal().print(f"shard {command.shard} of {command.shards} is done; others are not yet")
    else:
        print_record(Terminal(), record, out)


def _deciding(
    command: PredictConfig, classifier: Classifier, folder: RunFolder, validation: Validation | None, work: Work
) -> Deciding:
    rule, names, prior = classifier.build_decision(), classifier.class_names, classifier.output_prior
    seed = folder.load_seed() if command.priors is not None and rule.num_iterations else 0
    return prepare_deciding(command, rule, names, prior, validation, seed, lambda: probabilities_of(work))


def _check_ids(work: Work, command: PredictConfig) -> None:
    """Raise UserError for an id that two spectra have, if bad spectra are errors."""
    if command.on_bad == "error" and (repeated := work.repeated_id()) is not None:
        raise UserError(f"The id {repeated} is in the data more than once; on_bad=skip keeps a row for each.")


def _notes(work: Work, command: PredictConfig, found: dict[str, Any], validation: Validation | None) -> list[str]:
    """What the user must know of the file as a whole."""
    notes = []
    if (repeated := work.repeated_id()) is not None:
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
