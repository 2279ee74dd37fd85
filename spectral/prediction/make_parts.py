"""Make the parts of a work that are missing, or a shard's share of them. Reading, classifying and writing overlap."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from spectral.cli.progress import SpectraProgress
from spectral.configs.commands import PredictConfig
from spectral.data.packing.parts import Span, cut, num_rows
from spectral.data.packing.shards import shard_of
from spectral.errors import UserError
from spectral.prediction.applied_run import AppliedRun
from spectral.prediction.blocks import Blocks
from spectral.prediction.classify import classified, joined
from spectral.prediction.read_ahead import read_ahead
from spectral.prediction.work import Part, Work
from spectral.runtime import Runtime, tune_allocator

log = logging.getLogger(__name__)

ROWS_PER_BLOCK = 512  # of data without data.rows_per_part


def make_parts(command: PredictConfig, run: AppliedRun, blocks: Blocks, work: Work) -> None:
    """Classify what is missing, part by part; each part is kept as soon as it is whole.

    Raises:
        UserError: a spectrum cannot be classified and `on_bad` is "error".
    """
    own = shard_of(work.spans, command.shards, command.shard)
    missing = [span for span in own if not work.is_done(span)]
    num_left, num_own = num_rows(missing), num_rows(own)
    if not missing:
        return
    if num_left < num_own:
        log.info("Resuming: %s of %s spectra were classified before.", f"{num_own - num_left:,}", f"{num_own:,}")
    tune_allocator()
    runtime = run.runtime(command)
    pieces = list(cut(missing, getattr(command.data, "rows_per_part", ROWS_PER_BLOCK)))
    num_workers = min(reading_processes(command, blocks, runtime), len(pieces) - 1)
    reading = f"{num_workers} process(es)" if num_workers else "a thread"
    log.info("Running on %s; reading ahead: %s.", run.described(runtime), reading)
    with _sharing_cores(command, runtime, num_workers):
        found = classified(run.predictor(command, runtime), read_ahead(blocks, pieces, num_workers))
        with SpectraProgress("classifying", "Classified", num_own, num_own - num_left) as progress:
            for span, part in _whole(found, missing, progress):
                if command.on_bad == "error":
                    check_part(work, span, part)
                work.write(span, part)


@contextmanager
def _sharing_cores(command: PredictConfig, runtime: Runtime, num_workers: int) -> Iterator[None]:
    """On a CPU, leave a core to each reading process; a worker's next job has all threads again."""
    if runtime.device.type == "cpu" and num_workers and command.num_threads is None:
        torch.set_num_threads(max(1, runtime.num_threads - num_workers))
    try:
        yield
    finally:
        torch.set_num_threads(runtime.num_threads)


def _whole(
    found: Iterator[tuple[Span, Part]], spans: list[Span], progress: SpectraProgress
) -> Iterator[tuple[Span, Part]]:
    """Parts of the pieces that they were cut into."""
    for span in spans:
        pieces: list[tuple[Span, Part]] = []
        while not pieces or pieces[-1][0][1] < span[1]:
            pieces.append(next(found))
            progress.advance(num_rows([pieces[-1][0]]))
        yield span, joined(pieces)


def check_part(work: Work, span: Span, part: Part) -> None:
    """Raise UserError for the first spectrum of a part that could not be classified; its sentence names it."""
    if not part.problems:
        return
    position = min(part.problems)
    reason = part.problems[position]
    nan = ", data.nan=mask marks such pixels" if reason.startswith("flux not finite") else ""
    raise UserError(f"Spectrum {work.id_of(span[0] + position)}: {reason}; on_bad=skip leaves it without a class{nan}.")


def reading_processes(command: PredictConfig, blocks: Blocks, runtime: Runtime) -> int:
    """How many processes read ahead; 0: a thread does.

    By data.num_workers. Without it a GPU has all cores but one to itself. On the CPU a thread reads, so that the
    network has the cores; half of them read if a spectrum takes about as long to read as to classify.
    """
    given = getattr(command.data, "num_workers", None)
    if given is not None:
        return int(given) if given > 1 else 0
    if runtime.device.type == "cpu":
        return runtime.num_threads // 2 if blocks.reads_slowly else 0
    return max(1, runtime.num_threads - 1) if blocks.needs_checks else 0
