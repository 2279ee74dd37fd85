"""NAME.json next to a finished catalog NAME: what it is made of, and what was found. It is written last."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from spectral.files import write_json

FORMAT = 1


def record_path(out: Path) -> Path:
    return out.with_name(f"{out.name}.json")


def write_record(out: Path, made_of: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Write the record of a catalog that is in its place.

    Args:
        made_of: all that decides over its content.
    """
    size = {"format": FORMAT, "num_bytes": out.stat().st_size}
    record = {**size, **found, "made_of": json.loads(json.dumps(made_of))}
    write_json(record_path(out), record)
    return record


def forget_record(out: Path) -> None:
    """Let a finished catalog be made again; its file stays until then."""
    record_path(out).unlink(missing_ok=True)


def finished_record(out: Path, made_of: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record of a catalog that is finished and made of the same; None if there is none."""
    try:
        record = json.loads(record_path(out).read_text("utf-8"))
        is_same = record["made_of"] == json.loads(json.dumps(made_of)) and record["num_bytes"] == out.stat().st_size
    except (OSError, ValueError, KeyError, TypeError, RecursionError):  # none, or one of another version
        return None
    return record if is_same else None


def print_record(console: Console, record: Mapping[str, Any], out: Path) -> None:
    """Print what a finished catalog holds; the same when the command is given again."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    say(f"{record['num_predicted']:,} predictions written to {out}")
    counts = record["num_by_class"]
    total = max(sum(counts.values()), 1)
    say("of them " + ", ".join(f"{name} {count:,} ({100 * count / total:.3g} %)" for name, count in counts.items()))
    for sentence in record["sentences"]:
        say(sentence)
    if record["num_rejected"] is not None:
        say(f"{record['num_rejected']:,} rows are rejected")
    for reason, count in record["skipped"].items():
        say(f"skipped {count:,}: {reason}")
    for note in record["notes"]:
        say(f"Note: {note}")
