"""A part of a pack: some rows, read and checked, in one file that is there as a whole or not at all."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectral.data.packing.row_checks import Checked, Rules, check_rows
from spectral.data.readers.contract import Reader, place_of, read_rows
from spectral.errors import UserError
from spectral.files import writing

Span = tuple[int, int]  # catalog rows [start, stop)


@dataclass(frozen=True)
class PartJob:
    """What a packing process needs to make any part."""

    reader: Reader
    rules: Rules
    on_bad: str
    folder: Path

    def make(self, span: Span, ids: list[str]) -> Span:
        """Read, check and write catalog rows [start, stop), whose ids are given.

        Raises:
            UserError: a row is bad and on_bad is "error", or its flux is not finite and nan is "error".
        """
        rows = np.arange(*span, dtype=np.int64)
        checked = check_rows(read_rows(self.reader, rows), self.rules)
        for position, reason in checked.problems.items():
            self._allow(int(rows[position]), ids[position], reason)
        self._write(span, checked)
        return span

    def _allow(self, row: int, id_: str, reason: str) -> None:
        place = place_of(self.reader, row)
        is_named = place is None or place.partition(",")[0] in reason
        spectrum = f"Spectrum {id_}" if is_named else f"Spectrum {id_} ({place})"
        if reason.startswith("flux not finite"):
            if self.rules.nan == "error":
                raise UserError(f"{spectrum}: {reason}; data.nan=mask marks such pixels, data.nan=skip such spectra.")
        elif self.on_bad == "error":
            pad = ", data.ragged=pad fills it up" if reason.startswith("wrong length") else ""
            raise UserError(f"{spectrum}: {reason}; data.on_bad=skip leaves it out{pad}.")

    def _write(self, span: Span, checked: Checked) -> None:
        arrays = dict(checked.arrays, rows=span[0] + checked.good)
        arrays["skipped_rows"] = span[0] + np.array([*checked.problems], dtype=np.int64)
        arrays["skipped_reasons"] = np.array([*checked.problems.values()], dtype=np.str_)
        with writing(part_path(self.folder, span)) as file:
            np.savez(file, allow_pickle=False, **arrays)


def part_path(folder: Path, span: Span) -> Path:
    return folder / f"rows-{span[0]:09d}-{span[1]:09d}.npz"


def finished_spans(folder: Path) -> list[Span]:
    """The spans whose parts are whole, in ascending order. Of parts that overlap, one counts."""
    found = [re.fullmatch(r"rows-(\d+)-(\d+)\.npz", path.name) for path in folder.glob("rows-*.npz")]
    spans: list[Span] = []
    for start, stop in sorted((int(name[1]), int(name[2])) for name in found if name):
        if not spans or start >= spans[-1][1]:
            spans.append((start, stop))
    return spans


def missing_spans(finished: list[Span], rows: Span, rows_per_part: int) -> list[Span]:
    """What the finished spans leave open of some rows, cut into spans of at most `rows_per_part`."""
    gaps, end = [], rows[0]
    for start, stop in [*finished, (rows[1], rows[1])]:
        gaps.append((end, min(start, rows[1])))
        end = max(end, stop)
    return list(cut(gaps, rows_per_part))


def cut(spans: Iterable[Span], num: int) -> Iterator[Span]:
    """The same rows in pieces of at most `num`, none of which is in two spans."""
    for start, stop in spans:
        yield from ((at, min(at + num, stop)) for at in range(start, stop, num))


def num_rows(spans: Iterable[Span]) -> int:
    return sum(stop - start for start, stop in spans)
