"""sweep.json, which cannot always be written."""

from pathlib import Path

import pytest

from spectral.errors import UserError
from sweeps.results.sweep_json import write_summary


def test_a_folder_in_its_place_is_to_be_moved_away(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").mkdir()
    with pytest.raises(UserError, match=r"sweep\.json could not be written .*: move this folder away and"):
        write_summary({}, tmp_path)
