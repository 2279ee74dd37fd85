"""NAME.json next to a finished catalog NAME: what it is made of, and what was found. It is written last."""

import glob
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from spectral.data.packing.stored_plan import plan_now
from spectral.errors import UserError
from spectral.files import write_json

FORMAT = 1
UNASKED = {"precision": "auto", "kernel": "auto"}  # of keys that are left out if nothing was asked for
DIFFERENCES = {  # of what a catalog is made of, in words; the others are keys of the command
    "model": "another run",
    "data": "other data or other options of it",
    "settings": "other data or other options of it",
    "plan_format": "another version",
    "version": "version {}",
    "file_format": "format={}",
}


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
    record = _record_of_file(out)
    return record if record and record["made_of"] == json.loads(json.dumps(made_of)) else None


def check_all_classified(record: Mapping[str, Any], out: Path) -> None:
    """Raise UserError if a finished catalog has bad spectra: without a class, or with an id that is there twice."""
    if record["skipped"]:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in record["skipped"].items())
        raise UserError(f"{out} is finished and has spectra without a class ({reasons}); on_bad=skip keeps them.")
    if (repeated := record.get("repeated_id")) is not None:
        raise UserError(f"{out} is finished and has the id {repeated} more than once; on_bad=skip keeps both rows.")


def check_begun_or_own(out: Path) -> None:
    """Raise UserError if there is a file that no command has finished, nor is at work on. It needs no lock."""
    # Looked for first: who finishes a file writes its record, and only then removes the parts.
    is_begun = any(out.parent.glob(f".{glob.escape(out.name)}.*.parts"))
    if not is_begun:
        _check_own(out)


def check_replaceable(out: Path, made_of: Mapping[str, Any]) -> None:
    """Raise UserError if there is a file that is not of this command, or that is made of something else."""
    _check_own(out)
    record, asked = _record_of_file(out), json.loads(json.dumps(made_of))
    if record and record["made_of"] != asked:
        raise UserError(
            f"out={out} was made with {_differences(record['made_of'], asked)}: give another out, or overwrite=true "
            "makes it again."
        )


def _check_own(out: Path) -> None:
    foreign = [out] if out.exists() and _record_of_file(out) is None else []
    foreign += [record_path(out)] if record_path(out).exists() and _record(out) is None else []
    for path in foreign:
        found = f"out={out} is" if path == out else f"out={out} needs the place of {path},"
        raise UserError(
            f"{found} a file that spectral.predict has not written or not finished, or that was changed since: give "
            "another out, or overwrite=true replaces it."
        )


def _differences(before: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """What a file was made with that is asked for otherwise, such as "reject=null, format=csv"."""
    keys = [key for key in {**before, **asked} if before.get(key) != asked.get(key)]
    values = {key: before.get(key, UNASKED.get(key)) for key in keys}
    shown = {key: json.dumps(value, ensure_ascii=False).replace('"', "") for key, value in values.items()}
    words = [DIFFERENCES.get(key, f"{key}={{}}").format(shown[key]) for key in keys]
    return ", ".join(dict.fromkeys(words)) or "another version"


def _record_of_file(out: Path) -> dict[str, Any] | None:
    """The record of the file at `out`; None if there is none, or it describes a file of another size."""
    record = _record(out)
    try:
        return record if record and record["num_bytes"] == out.stat().st_size else None
    except (OSError, KeyError):
        return None


def _record(out: Path) -> dict[str, Any] | None:
    """What is stored in the place of the record; None if that is none."""
    try:
        record = json.loads(record_path(out).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("made_of"), dict):
        return None
    return record | {"made_of": plan_now(record["made_of"])}


def print_record(console: Console, record: Mapping[str, Any], out: Path) -> None:
    """Print what a finished catalog holds; the same when the command is given again."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    num_rows, num_predicted = record["num_rows"], record["num_predicted"]
    with_class = "all" if num_predicted == num_rows else f"{num_predicted:,}"
    say(f"{num_rows:,} rows written to {out}, {with_class} with a class")
    for warning in record.get("warnings", ()):  # earlier versions had them among the notes
        say(f"Warning: {warning}")
    counts = record["num_by_class"]
    total = max(sum(counts.values()), 1)
    say("of them " + ", ".join(f"{name} {count:,} ({100 * count / total:.3g} %)" for name, count in counts.items()))
    for sentence in record["sentences"]:
        say(sentence)
    if record["num_rejected"] is not None:
        say(f"{record['num_rejected']:,} rows are rejected")
    for reason, count in record["skipped"].items():
        nan = "; data.nan=mask marks such pixels" if reason == "flux not finite" else ""
        say(f"skipped {count:,}: {reason}{nan}")
    for note in record["notes"]:
        say(f"Note: {note}")
