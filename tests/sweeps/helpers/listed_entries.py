"""What `python -m sweeps.ls` lists."""

import json
from pathlib import Path
from typing import Any

import pytest

from sweeps.ls import command


def listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """The entries of `--json`, by name."""
    assert command.main([str(folder), "--json"]) == 0
    return {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
