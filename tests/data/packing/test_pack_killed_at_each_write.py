"""Packing that is killed at any of its writes ends, after the same call, with the same bytes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from kill_matrix import Command, apart, bad, rows_of
from toy_reader import ToyReader, config, files_of

from spectral.data.packing.pack import pack


def reader(folder: Path, num: int = 40) -> ToyReader:
    return ToyReader(num=num, with_ivar=True, wave=12, read_log=str(folder / "reads.log"))


def call(folder: Path) -> None:
    pack(reader(folder), config(rows_per_part=14), folder / "pack", progress=False)


def pack_older_state(folder: Path) -> None:
    """A pack of fewer spectra, with a saved split."""
    pack(ToyReader(num=20, with_ivar=True, wave=12), config(), folder / "pack", progress=False)
    (folder / "pack" / "splits").mkdir()
    (folder / "pack" / "splits" / "mine.json").write_text("{}")


def parts_lost(folder: Path) -> Callable[[str], str]:
    """How many parts were finished and were read again."""
    log = folder / "reads.log"
    log.write_text("")
    finished = {path.name for path in (folder / ".pack.building").glob("parts-*/rows-*.npz")}

    def lost(_printed: str) -> str:
        reads = [json.loads(line)["rows"] for line in log.read_text().splitlines()]
        again = finished & {f"rows-{rows[0]:09d}-{rows[-1] + 1:09d}.npz" for rows in reads[1:]}  # the first is a look
        return f"{len(again)} finished parts" if again else "nothing"

    return lost


def check(tmp_path: Path, prepare: Callable[[Path], None], files: set[str]) -> None:
    """Kill a packing at each write; it must end with the bytes of `whole`, and with these other files in its folder."""
    pack(ToyReader(num=40, with_ivar=True, wave=12), config(), tmp_path / "whole", progress=False)
    expected = files_of(tmp_path / "whole")

    def wrong(folder: Path, _printed: str) -> str:
        others = {str(path.relative_to(folder)) for path in folder.rglob("*")} - {f"pack/{name}" for name in expected}
        if others != {"reads.log", "pack", ".pack.lock", *files}:
            return f"other files: {sorted(others)}"
        return "" if files_of(folder / "pack") == expected else "it differs"

    (tmp_path / "kills").mkdir()
    rows = rows_of(Command(apart(call), prepare, parts_lost, wrong), tmp_path / "kills")
    assert not bad(rows) and {row.lost for row in rows} == {"nothing"}


@pytest.mark.slow
def test_packing_killed_at_any_write(tmp_path: Path) -> None:
    check(tmp_path, lambda _folder: None, set())


@pytest.mark.slow
def test_packing_of_a_newer_state_killed_at_any_write_keeps_the_saved_splits(tmp_path: Path) -> None:
    check(tmp_path, pack_older_state, {"pack/splits", "pack/splits/mine.json", "pack/splits/.lock"})
