"""trial.json in each run folder: what the study knows of the run, for those who have the folder alone."""

import json
import os
from pathlib import Path
from typing import Any

FILE = "trial.json"


def write_json(path: Path, content: Any) -> None:
    """A JSON file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def fresh_folder(parent: Path, number: int) -> Path:
    """The folder of a new trial: its number, or with a suffix where another study has left a folder of that name."""
    folder, again = parent / str(number), 1
    while folder.exists():
        again += 1
        folder = parent / f"{number}-{again}"
    return folder
