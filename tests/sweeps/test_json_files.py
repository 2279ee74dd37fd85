"""Files that a sweep writes: whole or not at all, and JSON that every program reads."""

import json
import math
from pathlib import Path

import pytest

from sweeps.files import write_bytes, write_json


def test_a_number_that_json_has_no_word_for_is_null(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trial.json"
    write_json(path, {"values": [0.5, math.nan], "spread": (math.inf, 1), "best": {"score": -math.inf}})
    found = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert found == {"values": [0.5, None], "spread": [None, 1], "best": {"score": None}}


@pytest.mark.parametrize("name", ["folder", "missing/file"])
def test_an_error_of_the_file_system_passes_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        write_bytes(tmp_path / name, b"new")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]
