"""Blocks that are read ahead: their order, how many are in memory, and what goes wrong."""

import threading
import time
import weakref
from typing import Any

import numpy as np
import pytest
from toy_reader import ToyReader, config

from spectral.data.packing.probe import probed
from spectral.errors import UserError
from spectral.prediction.blocks import Block, ReaderBlocks
from spectral.prediction.read_ahead import read_ahead

SPANS = [(at, at + 4) for at in range(0, 40, 4)]


def blocks_of(reader: ToyReader) -> ReaderBlocks:
    rules = probed(reader, config(), reader.num).rules
    return ReaderBlocks(reader, rules, reader.with_ivar, "f", {}, reads_slowly=False)


class Counted:
    """Counts the blocks that were read and are still in memory."""

    def __init__(self, blocks: ReaderBlocks) -> None:
        self.blocks, self.num_alive, self.most = blocks, 0, 0
        self.lock = threading.Lock()

    def read(self, span: tuple[int, int]) -> Block:
        block = self.blocks.read(span)
        with self.lock:
            self.num_alive += 1
            self.most = max(self.most, self.num_alive)
        weakref.finalize(block, self._gone)
        return block

    def _gone(self) -> None:
        self.num_alive -= 1


@pytest.mark.parametrize("num_workers", [0, 2])
def test_blocks_come_in_order(num_workers: int) -> None:
    found = list(read_ahead(blocks_of(ToyReader(with_ivar=True)), SPANS, num_workers))
    assert [block.span for block in found] == SPANS
    reader = ToyReader(with_ivar=True)
    for block in found:
        assert block.flux is not None and block.ivar is not None
        expected = np.stack([reader.flux(row) for row in range(*block.span)])
        np.testing.assert_array_equal(block.flux, expected)


def test_no_more_blocks_are_in_memory_than_said() -> None:
    """One that is used, one that is read and one that waits, however slow the caller is."""
    counted: Any = Counted(blocks_of(ToyReader(num=400)))
    found = read_ahead(counted, [(at, at + 4) for at in range(0, 400, 4)], 0)
    num = 0
    for block in found:
        num += 1
        if num % 10 == 0:
            time.sleep(0.01)  # the reader could run away
        del block
    assert num == 100 and counted.most <= 3
    assert counted.num_alive == 0


def test_spectra_that_cannot_be_classified_are_reported_in_their_place() -> None:
    reader = ToyReader(
        unreadable={1: "unreadable: cut short"}, not_finite={2: np.nan}, lengths={5: 9, 6: 13}, bad_pixels={3: 0}
    )
    first, second = list(read_ahead(blocks_of(reader), SPANS[:2], 0))
    assert first.good.tolist() == [0, 3] and second.good.tolist() == [0, 3]
    assert first.problems == {1: "unreadable: cut short", 2: "flux not finite: at pixel 3"}
    assert second.problems == {1: "wrong length: 9 pixels, not 12", 2: "wrong length: 13 pixels, not 12"}
    assert first.mask is not None and first.mask[:, 0].tolist() == [False, True]


def test_a_span_without_one_good_spectrum_has_no_arrays() -> None:
    reader = ToyReader(num=70, unreadable=dict.fromkeys(range(4), "lost"))
    block = blocks_of(reader).read((0, 4))
    assert block.flux is None and len(block.good) == 0 and len(block.problems) == 4


def test_an_error_of_the_reader_is_raised_here() -> None:
    class Broken:
        def read(self, span: tuple[int, int]) -> Block:
            raise UserError("the folder is gone")

    broken: Any = Broken()
    with pytest.raises(UserError, match="the folder is gone"):
        list(read_ahead(broken, SPANS, 0))
