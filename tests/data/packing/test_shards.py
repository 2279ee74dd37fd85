"""How the parts of a survey are divided among shards, and what processes that do not know of each other may do."""

from pathlib import Path

import pytest
from toy_reader import ToyReader, config, files_of

from spectral.data.packing.pack import pack, pack_shards
from spectral.data.packing.parts import cut, finished_spans, missing_spans, part_path
from spectral.data.packing.shards import check_shards, shard_of
from spectral.data.packing.steps import Packing
from spectral.errors import UserError


@pytest.mark.parametrize("num_shards", [1, 2, 3, 5, 7])
def test_shards_are_all_parts_once(num_shards: int) -> None:
    spans = [(at, at + 2) for at in range(0, 10, 2)]
    assert [span for shard in range(num_shards) for span in shard_of(spans, num_shards, shard)] == spans
    assert shard_of(spans, num_shards, None) == spans


def test_parts_are_cut_without_pieces_across_two() -> None:
    assert list(cut([(0, 5), (9, 10)], 2)) == [(0, 2), (2, 4), (4, 5), (9, 10)]


def test_more_shards_than_spectra_are_a_mistake() -> None:
    check_shards(3, 3)
    with pytest.raises(UserError, match=r"shards=4 is out of range: the data has 3 spectra, give at most that\."):
        check_shards(4, 3)


def test_of_parts_that_overlap_one_counts(tmp_path: Path) -> None:
    for span in ((0, 5), (3, 8), (8, 10)):
        part_path(tmp_path, span).touch()
    assert finished_spans(tmp_path) == [(0, 5), (8, 10)]
    assert missing_spans(finished_spans(tmp_path), (0, 12), 2) == [(5, 7), (7, 8), (10, 12)]


def test_a_pack_does_not_depend_on_the_size_of_parts_that_were_made_before(tmp_path: Path) -> None:
    for rows_per_part in (7, 3):
        options = config(rows_per_part=rows_per_part)
        pack_shards(ToyReader(), options, tmp_path / "pack", 2, lambda packing: packing.make_parts(2, 0))
    pack_shards(ToyReader(), config(rows_per_part=9), tmp_path / "pack", 2, lambda packing: packing.make_parts(2, 1))
    pack(ToyReader(), config(), tmp_path / "pack", progress=False)
    pack(ToyReader(), config(), tmp_path / "whole", progress=False)
    assert files_of(tmp_path / "pack") == files_of(tmp_path / "whole")


def test_parts_of_an_older_state_that_come_late_spoil_nothing(tmp_path: Path) -> None:
    older, newer, folder = ToyReader(), ToyReader(version="2", scale=2.0), tmp_path / "pack"

    def late(packing: Packing) -> None:
        assert pack_shards(newer, config(), folder, 2, lambda its: its.make_parts(2, 1)) is None
        packing.make_parts(2, 0)

    with pytest.raises(UserError, match=r"parts of .*pack are gone: its source or its options have changed"):
        pack_shards(older, config(), folder, 2, late)
    assert pack_shards(newer, config(), folder, 2, lambda its: its.make_parts(2, 0)) is not None
    pack(newer, config(), tmp_path / "whole", progress=False)
    assert files_of(folder) == files_of(tmp_path / "whole")
    assert not (tmp_path / ".pack.building").exists()


def test_a_shard_that_finds_the_pack_made_by_another_command_ends_well(tmp_path: Path) -> None:
    def late(packing: Packing) -> None:
        pack(ToyReader(), config(), tmp_path / "pack", progress=False)
        packing.make_parts(2, 0)

    survey = pack_shards(ToyReader(), config(), tmp_path / "pack", 2, late)
    assert survey is not None and len(survey) == 40
